/** PowerShell 7.3 and newer: older ones do not pass an empty word to a program. */
export const POWERSHELL = `# Completion of banger for PowerShell 7.3 and newer. banger itself says what may stand at the cursor.
Register-ArgumentCompleter -Native -CommandName banger -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    # No name has quotes in it: what is typed of one is known without them.
    $word = "$wordToComplete" -replace '["'']', ''
    $before = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text -replace '["'']', '' })
    $banger = Get-Command -Name banger -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($null -eq $banger) { return '' }
    $reply = @(& $banger __complete @before $word 2>$null)
    # Without a result PowerShell completes files itself.
    if ($reply.Count -gt 0 -and $reply[0] -notin 'words', 'places') { return }
    $results = @($reply | Select-Object -Skip 1 | ForEach-Object {
        $value, $about = $_ -split "\`t", 2
        if ($value.StartsWith($word)) {
            $text = if ($value -match '^[\\w./:=@+-]+$') { $value } else { "'" + $value.Replace("'", "''") + "'" }
            $tip = if ($about) { $about } else { $value }
            [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $tip)
        }
    })
    if ($results.Count -gt 0) { $results } elseif ($reply[0] -ne 'places') { '' }
}
`
