package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.kernel.KernelSelection;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What every command relies on: exit status and which stream carries what. */
class MainTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }

    @Test
    void versionComesFromTheBuild() {
        assertEquals(0, run("--version"));
        assertTrue(out.toString().matches("(?s)PEFT4J \\d+\\.\\d+\\.\\d+.*Java \\d+.*"), out.toString());
    }

    @Test
    void helpGoesToStdout() {
        assertEquals(0, run("--help"));
        assertTrue(out.toString().contains("Usage: peft4j"), out.toString());
        assertEquals("", err.toString());
    }

    @Test
    void noCommandIsWrongUsage() {
        assertEquals(2, run());
        assertTrue(err.toString().startsWith("Missing command"), err.toString());
        assertEquals("", out.toString());
    }

    @Test
    void anUnknownOptionIsWrongUsage() {
        assertEquals(2, run("--no-such-option"));
        assertTrue(err.toString().contains("--no-such-option"), err.toString());
        assertEquals("", out.toString());
    }

    private static Set<String> commands(String... arguments) {
        return Main.commandLine(new Interrupts(), arguments).getSubcommands().keySet();
    }

    @Test
    void onlyTheNamedCommandIsLoaded() {
        assertEquals(Set.of("bench"), commands("bench", "train", "--model", "data"));
        assertEquals(Set.of("data"), commands("--verbose", "data", "check"));
    }

    @Test
    void withoutACommandAllAreLoaded() {
        assertTrue(commands("trian", "data").containsAll(Set.of("quickstart", "train", "data", "jshell")));
        assertEquals(commands("trian"), commands("--help"));
        assertEquals(commands("trian"), commands());
    }

    @Test
    void theDoctorSaysWhichKernelsRunAndWhetherTheHubIsReached() {
        CommandRun run = CommandRun.succeeding("doctor", "--no-measure", "--json");

        JsonNode report = run.json().get(0);
        assertEquals(Runtime.getRuntime().availableProcessors(), report.get("cores").asInt());
        assertEquals(KernelSelection.report().chosen(), report.get("kernels").asText());
        assertTrue(report.get("hub_detail").isTextual() && report.get("advice").isArray(), run.out());
        String advice = report.get("advice").toString();
        assertEquals(advice.matches(".*(--add-|-D|-XX:)\\w.*"), advice.contains("PEFT4J_JAVA_OPTS"), advice);
    }

    @Test
    void aShellLearnsCommandsAndOptions() {
        CommandRun run = CommandRun.succeeding("completion", "bash");

        assertTrue(run.out().contains("--learning-rate") && run.out().contains("quickstart"), "no completion");
        assertTrue(CommandRun.failing(2, "completion", "fish").contains("[bash, zsh]"));
    }

    @Test
    void helpNamesRequiredOptionsAndGroupsTheOthers() {
        String help = CommandRun.succeeding("train", "--help").out();

        assertTrue(help.startsWith("Usage: peft4j train --model ID|DIR|FILE.gguf --data FILE --output DIR [OPTIONS]"),
                help);
        List<Integer> places = Stream.of("Required:", "--model=", "--data=FILE", "--output=DIR", "Model and data:",
                "--validation=", "Training:", "--epochs=", "Adapter:", "--rank=", "Objective:", "--beta=", "Costs:")
                .map(help::indexOf).toList();
        assertEquals(places.stream().sorted().toList(), places, help);
        assertTrue(places.get(0) > 0, help);
        String ofGenerate = CommandRun.succeeding("generate", "--help").out();
        assertTrue(ofGenerate.indexOf("--prompt=") < ofGenerate.indexOf("Options:")
                && ofGenerate.indexOf("--regex=") > ofGenerate.indexOf("Answers:"), ofGenerate);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        2 | trian --model m | unknown command 'trian'
        2 | data chek f.jsonl | unknown command 'chek'
        2 | data check f.jsonl g.jsonl | 'g.jsonl' is too much here
        2 | train --modle m --data d --output o | unknown option '--modle'; did you mean '--model'?
        2 | generate --model m --prompt Hi --max-new-tokens 0 | --max-new-tokens is 0; it must be at least 1
        2 | generate --model m --prompt Hi --threads 9999999 | --threads is 9999999; it must be at least 1, at most 1024
        2 | train --model m --data d --output o --epochs 9999999999 | '9999999999' is more than 2147483647
        2 | train --model m --data d --output= | '--output': the name of a file or folder is empty
        2 | data augment f.jsonl --output g.jsonl --temperature 2 | --temperature has no effect without --model
        2 | data augment f.jsonl --output g.jsonl --seed 2 | --seed has no effect without --model
        2 | data from-handbook f.md --output g.jsonl --dtype f32 | --dtype has no effect without --model
        2 | rescue --from http://localhost:1/v1 --output o --prove | --prove has no effect without --merge
        2 | rescue --from http://localhost:1/v1 --model m --output o --merge q3_k | the type is 'q3_k'; it
        2 | data mix f.jsonl g.jsonl --output h.jsonl --weights 0,1 | --weights is [0.0, 1.0]; each must be above 0
        2 | data mix f.jsonl --output h.jsonl --guard g.jsonl --guard-share 1 | --guard-share is 1.0; it must be above 0
        2 | data mix f.jsonl --output h.jsonl --size 0 | --size is 0; it must be at least 1
        1 | data check src | src: is a folder without a document that can be read
        1 | generate --model m --prompt Hi --json-schema none.json | cannot read the JSON schema none.json: no such file
        """)
    void whatIsWrongIsSaidInTheWordsThatWereTyped(int status, String words, String said) {
        String message = CommandRun.failing(status, (Object[]) words.split(" "));
        assertTrue(message.contains(said), message);
    }

    @Test
    void aTerminalShowsNoEscapesOfMarkdown() {
        assertEquals("token_f1 0 points [-24, 24], C:\\temp", Console.withoutEscapes(
                "token\\_f1 0 points \\[-24, 24\\], C:\\temp"));
    }

    @Test
    void aMessageOfSeveralLinesIsOneSentenceAfterTheOther() {
        assertEquals("f.jsonl:1: has no answer; The same in lines 2, 3", Failures.inOneLine(
                "f.jsonl:1: has no answer\nThe same in lines 2, 3\n"));
        assertEquals("missing (2): a; b", Failures.inOneLine("missing (2):\n  a\n  b"));
    }
}
