// Package kvm tries whether KVM runs a guest: a node in /dev says nothing, for a nested or a paravirtual KVM may have it and run none.
package kvm

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers of linux/kvm.h.
const (
	getAPIVersion       = 0xae00
	createVM            = 0xae01
	getVCPUMmapSize     = 0xae04
	createVCPU          = 0xae41
	setTSSAddress       = 0xae47
	setUserMemoryRegion = 0x4020ae46
	run                 = 0xae80
	setRegisters        = 0x4090ae82
	getSystemRegisters  = 0x8138ae83
	setSystemRegisters  = 0x4138ae84

	apiVersion = 12
	exitIO     = 2
	exitHLT    = 5
	exitError  = 17

	// Of struct kvm_run: exit_reason.
	exitReasonOffset = 8
	// Of struct kvm_sregs: the code segment's base, its selector.
	codeBaseOffset     = 0
	codeSelectorOffset = 12
	systemRegisters    = 312
	// Of struct kvm_regs, eight bytes a register.
	rip, rflags = 16, 17

	guestMemory = 4096
	guestCode   = 0x100
	// Three pages below 4 GiB that Intel's processors want, where no guest memory is.
	tssAddress = 0xfffbd000
)

// In real mode: fld1; fstp st0; out 0x10, al; hlt. Arithmetic of the coprocessor is what KVM's own emulator of instructions lacks:
// a KVM whose processor does not run guests, but has that emulator step through them, gets no further.
var program = []byte{0xd9, 0xe8, 0xdd, 0xd8, 0xe6, 0x10, 0xf4}

// ErrDenied: this user may not open the device.
var ErrDenied = errors.New("permission denied")

func ioctl(fd int, request uintptr, argument uintptr) (int, error) {
	for {
		value, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, argument)
		// Go's scheduler signals its threads.
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(value), nil
	}
}

type memoryRegion struct {
	slot, flags        uint32
	guest, size, start uint64
}

// Try runs a few instructions in a virtual machine of its own.
func Try(device string) error {
	kvm, err := os.OpenFile(device, os.O_RDWR, 0)
	if errors.Is(err, os.ErrPermission) {
		return ErrDenied
	}
	if err != nil {
		return err
	}
	defer kvm.Close()
	version, err := ioctl(int(kvm.Fd()), getAPIVersion, 0)
	if err != nil {
		return fmt.Errorf("asking for its version: %w", err)
	}
	if version != apiVersion {
		return fmt.Errorf("it speaks version %d, not %d", version, apiVersion)
	}
	vm, err := ioctl(int(kvm.Fd()), createVM, 0)
	if err != nil {
		return fmt.Errorf("making a virtual machine: %w", err)
	}
	defer unix.Close(vm)
	memory, err := unix.Mmap(-1, 0, guestMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return fmt.Errorf("its memory: %w", err)
	}
	defer unix.Munmap(memory)
	copy(memory[guestCode:], program)
	region := memoryRegion{size: guestMemory, start: uint64(uintptr(unsafe.Pointer(&memory[0])))}
	if _, err := ioctl(vm, setUserMemoryRegion, uintptr(unsafe.Pointer(&region))); err != nil {
		return fmt.Errorf("giving it memory: %w", err)
	}
	// AMD's have no such thing to set.
	_, _ = ioctl(vm, setTSSAddress, tssAddress)
	cpu, err := ioctl(vm, createVCPU, 0)
	if err != nil {
		return fmt.Errorf("giving it a processor: %w", err)
	}
	defer unix.Close(cpu)
	size, err := ioctl(int(kvm.Fd()), getVCPUMmapSize, 0)
	if err != nil {
		return fmt.Errorf("asking for the size of a processor's state: %w", err)
	}
	state, err := unix.Mmap(cpu, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping its processor: %w", err)
	}
	defer unix.Munmap(state)
	if err := prepare(cpu); err != nil {
		return err
	}
	reason := func() (uint32, error) {
		if _, err := ioctl(cpu, run, 0); err != nil {
			return 0, fmt.Errorf("running it: %w", err)
		}
		return *(*uint32)(unsafe.Pointer(&state[exitReasonOffset])), nil
	}
	for _, expected := range []uint32{exitIO, exitHLT} {
		got, err := reason()
		if err != nil {
			return err
		}
		if got == exitError {
			return errors.New("its processor runs no ordinary guest")
		}
		if got != expected {
			return fmt.Errorf("its guest came to exit %d in place of %d", got, expected)
		}
	}
	return nil
}

// prepare lets the processor begin at the program, in real mode.
func prepare(cpu int) error {
	var system [systemRegisters]byte
	if _, err := ioctl(cpu, getSystemRegisters, uintptr(unsafe.Pointer(&system))); err != nil {
		return fmt.Errorf("reading its processor: %w", err)
	}
	*(*uint64)(unsafe.Pointer(&system[codeBaseOffset])) = 0
	*(*uint16)(unsafe.Pointer(&system[codeSelectorOffset])) = 0
	if _, err := ioctl(cpu, setSystemRegisters, uintptr(unsafe.Pointer(&system))); err != nil {
		return fmt.Errorf("setting its processor: %w", err)
	}
	var registers [18]uint64
	registers[rip], registers[rflags] = guestCode, 2
	if _, err := ioctl(cpu, setRegisters, uintptr(unsafe.Pointer(&registers))); err != nil {
		return fmt.Errorf("setting its processor: %w", err)
	}
	return nil
}
