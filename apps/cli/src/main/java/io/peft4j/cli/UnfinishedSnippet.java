package io.peft4j.cli;

import java.util.OptionalInt;
import jdk.jshell.JShell;
import jdk.jshell.SourceCodeAnalysis;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;

/**
 * Finds what a script for JShell breaks off in: an open bracket takes all lines behind it along, and JShell drops it at
 * the end without a word.
 */
final class UnfinishedSnippet {
    private UnfinishedSnippet() {
    }

    /** The number of the line on which the snippet begins that the script does not end; empty where there is none. */
    static OptionalInt line(String script) {
        try (JShell shell = JShell.builder().executionEngine("local").build()) {
            return line(shell.sourceCodeAnalysis(), script.split("\\R", -1));
        }
    }

    private static OptionalInt line(SourceCodeAnalysis analysis, String... lines) {
        String open = "";
        int begun = 0;
        for (int i = 0; i < lines.length; i++) {
            if (open.isBlank()) {
                String word = lines[i].strip();
                if (word.startsWith("/ex")) {
                    return OptionalInt.empty();
                }
                if (word.startsWith("/") && !word.startsWith("//") && !word.startsWith("/*")) {
                    continue;
                }
                open = "";
                begun = i + 1;
            }
            String before = open;
            open = rest(analysis, open + lines[i] + "\n");
            // What is open now began on this line where something before it ended here.
            begun = open.length() <= lines[i].length() + 1 && !before.isEmpty() ? i + 1 : begun;
        }
        return open.isBlank() ? OptionalInt.empty() : OptionalInt.of(begun);
    }

    /** What is left of a text behind its complete snippets. */
    private static String rest(SourceCodeAnalysis analysis, String text) {
        String rest = text;
        while (!rest.isBlank()) {
            CompletionInfo info = analysis.analyzeCompletion(rest);
            if (!info.completeness().isComplete()) {
                return info.completeness() == SourceCodeAnalysis.Completeness.EMPTY ? "" : rest;
            }
            if (info.remaining().length() >= rest.length()) {
                return "";
            }
            rest = info.remaining();
        }
        return "";
    }
}
