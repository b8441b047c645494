package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.cli.JShellCommand.UnfinishedSnippet;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Where a script for JShell breaks off. */
class UnfinishedSnippetTest {
    private static OptionalInt line(String... lines) {
        return UnfinishedSnippet.line(String.join("\n", lines));
    }

    @Test
    void aScriptThatEndsItsSnippetsHasNone() {
        assertEquals(OptionalInt.empty(), line("", "int a = 1", "for (int i = 0;", "     i < 2; i++) {", "}", "a + 1",
                "// said", "/* all", "of it */", "/vars", "record P(int a) {", "}", "/** Says. */", "int f() {",
                "    return 1;", "}", "if (a > 0) System.out.println(a);", "int broken = \"text\"", ""));
        assertEquals(OptionalInt.empty(), line("/exit", "f("));
    }

    @Test
    void theLineOnWhichItBeginsIsNamed() {
        assertEquals(OptionalInt.of(2), line("int a = 1", "System.out.println(a", "System.out.println(2)",
                "int b = 2"));
        assertEquals(OptionalInt.of(3), line("int f() {", "    return 1;", "} int g() {", "    return 2;"));
        assertEquals(OptionalInt.of(1), line("class A {"));
        assertEquals(OptionalInt.of(4), line("int a = 1", "", "", "String s = \"\"\"", "    open"));
    }
}
