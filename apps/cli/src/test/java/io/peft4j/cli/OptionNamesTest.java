package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.data.report.FindingCode;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What a command makes of the library's messages, which know no options. */
class OptionNamesTest {
    private static final CommandLine LINE = Main.commandLine();

    private static OptionNames of(String... command) {
        CommandLine line = LINE;
        for (String name : command) {
            line = line.getSubcommands().get(name);
        }
        return new OptionNames(line.getCommandSpec());
    }

    private static String train(String message) {
        return of("train").in(message);
    }

    @Test
    void aSettingThatMustBeOtherwiseIsNamedAsTheOption() {
        assertEquals("batch size (--batch-size) must be at least 1, got 0",
                train("batch size must be at least 1, got 0"));
        assertEquals("rank (--rank) must be at least 1, got 0", train("rank must be at least 1, got 0"));
        assertEquals("the number of threads (--threads) must be at least 1, got 0",
                train("the number of threads must be at least 1, got 0"));
        assertEquals("the low rank must be odd", train("the low rank must be odd"));
        assertEquals("--max-length is 5", train("maxLength is 5"));
        assertEquals("noSuchThing is 5", train("noSuchThing is 5"));
    }

    @Test
    void whatIsInWordsIsNamedAsTheOption() {
        assertEquals(
                "a.jsonl:1: is UTF-8 text, but is read as UTF-16; leave --encoding out, or use one encoding for all "
                        + "files",
                train("a.jsonl:1: is UTF-8 text, but is read as UTF-16; name no encoding, or "
                        + "use one encoding for all files"));
        assertEquals("if that is right, read the file with --encoding windows-1252, or convert it to UTF-8",
                train("if that is right, read the file as windows-1252, or convert it to UTF-8"));
        assertEquals("only Nr., Frage; columns get their names with --column Frage=question --column \"Die Antwort"
                + "=answer\"",
                train("only Nr., Frage; columns can be renamed: Frage=question, \"Die Antwort=answer\""));
        assertEquals("columns get their names with --column Frage=question\nThe same in line 3",
                train("columns can be renamed: Frage=question\nThe same in line 3"));
        assertEquals("begin it again, in this folder with --resume-or-start",
                train("begin it again, in this folder with RunStart.RESUME_OR_START"));
    }

    @Test
    void anOptionThatTheCommandDoesNotHaveIsNotNamed() {
        String message = "read the file as windows-1252; columns can be renamed: Frage=question; maxLength, 5";
        assertEquals(message, of("doctor").in(message));
    }

    @Test
    void adviceNamesTheCommandThatFollowsIt() {
        OptionNames check = of("data", "check");
        assertEquals("Redact it (peft4j data clean --redact).", check.advice(FindingCode.PII));
        assertEquals(FindingCode.IMBALANCE.advice(), check.advice(FindingCode.IMBALANCE));
    }
}
