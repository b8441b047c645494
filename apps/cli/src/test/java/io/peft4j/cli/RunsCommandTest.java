package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pages of trainings that the command line has run. */
class RunsCommandTest {
    @TempDir
    Path folder;

    private Path train(String name, String learningRate, Object... more) throws IOException {
        Path data = folder.resolve("train.jsonl");
        Files.write(data, List.of(DataCheckCommandTest.row("Who?", "The keeper."),
                DataCheckCommandTest.row("When?", "At night.")));
        Path output = folder.resolve(name);
        List<Object> words = new ArrayList<>(List.of("train", "--model", FIXTURES.resolve("tiny-llama"), "--data",
                data, "--validation", data, "--output", output, "--batch-size", 1, "--epochs", 2, "--rank", 2,
                "--learning-rate", learningRate, "--dtype", "f32"));
        words.addAll(List.of(more));
        CommandRun.succeeding(words.toArray());
        return output;
    }

    private static String contentOf(Path file) throws IOException {
        String page = Files.readString(file);
        return page.substring(page.indexOf("<main>"));
    }

    @Test
    void showAndCompareWritePagesOfWhatWasTrained() throws IOException {
        Path one = train("one", "1e-2");
        Path two = train("two", "2e-2");
        String own = contentOf(one.resolve("training.html"));
        assertTrue(own.contains("<h1>Finished</h1>") && own.contains("4 steps in"), own);

        Path page = folder.resolve("page.html");
        JsonNode shown = CommandRun.succeeding("runs", "show", one, "--output", page, "--json").json().get(0);
        assertEquals("finished", shown.get("state").asText());
        assertEquals(4, shown.get("steps").asInt());
        // A measurement, two updates, a measurement, two updates, a measurement.
        JsonNode last = CommandRun.parse(Files.readAllLines(one.resolve("metrics.jsonl")).get(5));
        assertEquals(last.get("train_loss"), shown.get("train_loss"));
        assertTrue(contentOf(page).contains("<dt>learning_rate</dt><dd>0.01</dd>"), contentOf(page));
        Files.delete(one.resolve("training.html"));
        assertTrue(CommandRun.succeeding("runs", "show", one).out().startsWith("one: finished, 4 of 4 steps, loss "));
        assertTrue(Files.exists(one.resolve("training.html")));

        Files.writeString(one.resolve("metrics.jsonl"), "{\"step\": 2, \"tr", StandardOpenOption.APPEND);
        assertTrue(CommandRun.succeeding("runs", "show", one).out().contains("; damaged lines of metrics.jsonl left "
                + "out: 1"));
        assertEquals(1, CommandRun.succeeding("runs", "show", one, "--json").json().get(0).get("damaged_lines")
                .asInt());

        Path both = folder.resolve("compare.html");
        JsonNode compared = CommandRun.succeeding("runs", "compare", one, two, "--output", both, "--json").json()
                .get(0);
        assertEquals("[\"0.01\",\"0.02\"]", compared.get("differences").get("learning_rate").toString());
        assertFalse(compared.get("differences").has("batch_size"));
        assertEquals("two", compared.get("runs").get(1).get("run").asText());
        assertTrue(contentOf(both).contains("<h1>2 trainings</h1>"));
        assertTrue(CommandRun.failing(1, "runs", "compare", one, two, "--output", both).contains("exists already"));
        assertTrue(CommandRun.succeeding("runs", "compare", one, two, "--output", both, "--if-exists", "next").out()
                .contains("learning_rate: 0.01, 0.02"));
        assertTrue(CommandRun.succeeding("runs", "compare", one.getParent(), "--output", folder.resolve("all.html"))
                .out().contains("learning_rate: 0.01, 0.02"), "the folder that holds both");
    }

    @Test
    void trainingsThatDifferInTheSeedAreAGroupByName() throws IOException {
        Path one = train("one", "1e-2", "--seed", 1);
        Path two = train("two", "1e-2", "--seed", 2);
        Path other = train("other", "2e-2");
        String said = CommandRun.succeeding("runs", "compare", one, two, other, "--output",
                folder.resolve("groups.html")).out();
        assertTrue(said.contains("over the 2 seeds of one, two, learning_rate 0.01:"), said);
        assertTrue(Pattern.compile("\n  train_loss: mean \\d\\.\\d{4}, standard deviation \\d\\.\\d{4}\n").matcher(said)
                .find(), said);
        assertEquals(2, said.split("over the ", -1).length, "the third is in no group");
    }

    @Test
    void whatIsNoTrainingIsOneLine() {
        assertTrue(CommandRun.failing(1, "runs", "show", folder).contains("no training in " + folder));
        assertTrue(CommandRun.failing(1, "runs", "compare", folder, "--output", "x.html").contains("no training in "));
        assertTrue(CommandRun.failing(2, "runs").contains("Missing command: show or compare"));
    }
}
