package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Training on a tiny model: what it leaves, what it prints where, and what it refuses. */
class TrainCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();

    @TempDir
    Path folder;

    private Path data;
    private Path output;

    @BeforeEach
    void writeData() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            rows.add(row("Who is number " + i + "?", "The " + "old ".repeat(i % 3) + "keeper " + i + "."));
        }
        data = Files.write(folder.resolve("train.jsonl"), rows);
        output = folder.resolve("adapter");
    }

    private static String row(String question, String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"" + question + "\"}, "
                + "{\"role\": \"assistant\", \"content\": \"" + answer + "\"}]}";
    }

    private Object[] train(Object... more) {
        List<Object> words = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data, "--output", output,
                "--batch-size", 4, "--epochs", 2, "--rank", 4, "--learning-rate", "1e-2", "--dtype", "f32"));
        words.addAll(List.of(more));
        return words.toArray();
    }

    private Object[] trainOn(Object other) {
        return Arrays.stream(train("--if-exists", "overwrite")).map(word -> word == data ? other : word).toArray();
    }

    private double loss(Path adapter) {
        List<Object> words = new ArrayList<>(List.of("score", "--model", MODEL, "--data", data, "--json", "--dtype",
                "f32"));
        if (adapter != null) {
            words.addAll(List.of("--adapter", adapter));
        }
        return CommandRun.succeeding(words.toArray()).json().stream().mapToDouble(row -> row.get("nll").asDouble())
                .sum();
    }

    @Test
    void trainingWritesAnAdapterThatHasLearned() throws IOException {
        CommandRun run = CommandRun.succeeding(train());
        assertEquals("", run.out());
        for (String file : List.of("adapter_config.json", "adapter_model.safetensors", "tokenizer.json",
                "tokenizer_config.json", "metrics.jsonl", "README.md")) {
            assertTrue(Files.size(output.resolve(file)) > 0, file);
        }
        String card = Files.readString(output.resolve("README.md"));
        assertTrue(card.startsWith("---\nbase_model: '" + MODEL + "'\nlibrary_name: peft\n"), card);
        assertTrue(card.contains("| steps | 6 of 6 |"), card);
        assertEquals(6, Files.readAllLines(output.resolve("metrics.jsonl")).size());
        JsonNode config = CommandRun.read(output.resolve("adapter_config.json"));
        assertEquals("LORA", config.get("peft_type").asText());
        assertEquals(4, config.get("r").asInt());
        assertEquals(MODEL.toString(), config.get("base_model_name_or_path").asText());
        assertTrue(loss(output) < 0.95 * loss(null), loss(output) + " against " + loss(null));
    }

    /** No server listens on port 1: MLflow is left out, and the rest is as without it. */
    @Test
    void trackersKeepTheMetricsAndNoneEndsTheTraining() throws IOException {
        CommandRun.succeeding(train("--tracker", "csv", "--tracker", "tensorboard", "--tracker", "wandb", "--tracker",
                "mlflow=http://127.0.0.1:1"));
        List<String> metrics = Files.readAllLines(output.resolve("metrics.jsonl"));
        List<String> table = Files.readAllLines(output.resolve("metrics.csv"));
        assertEquals(metrics.size() + 1, table.size());
        int loss = List.of(table.get(0).split(",")).indexOf("train_loss");
        for (int i = 0; i < metrics.size(); i++) {
            assertEquals(CommandRun.parse(metrics.get(i)).get("train_loss").doubleValue(),
                    Double.parseDouble(table.get(i + 1).split(",")[loss]));
        }
        for (String place : List.of("runs", "wandb")) {
            try (Stream<Path> entries = Files.list(output.resolve(place))) {
                assertEquals(1, entries.count(), place);
            }
        }
        CommandRun.succeeding("generate", "--model", MODEL, "--adapter", output, "--prompt", "Who?");
    }

    @Test
    void aTrainingEndsEarlyAndKeepsItsBestAdapter() throws IOException {
        JsonNode line = CommandRun.succeeding(train("--validation", data, "--early-stopping-patience", 1,
                "--early-stopping-threshold", 100, "--eval-steps", 1, "--json")).json().stream()
                .filter(row -> row.has("ending")).findFirst().orElseThrow();
        assertEquals("stopped_early", line.get("ending").asText());
        assertEquals(1, Files.readAllLines(output.resolve("metrics.jsonl")).stream()
                .filter(row -> row.contains("train_loss")).count());
        assertTrue(CommandRun.failing(1, "train", "--model", MODEL, "--data", data, "--output", folder.resolve("b"),
                "--keep-best").contains("need validation data"));
        assertTrue(CommandRun.failing(2, "train", "--model", MODEL, "--data", data, "--output", folder.resolve("b"),
                "--time-budget", "0").contains("time budget"));
    }

    @Test
    void dataComesFromTheStandardInputAndFromAPipe() throws Exception {
        CommandRun.succeeding(train());
        byte[] adapter = Files.readAllBytes(output.resolve("adapter_model.safetensors"));
        InputStream before = System.in;
        try {
            System.setIn(Files.newInputStream(data));
            CommandRun.succeeding(trainOn("-"));
        } finally {
            System.setIn(before);
        }
        assertArrayEquals(adapter, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
        Path pipe = folder.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).inheritIO().start().waitFor());
        Process writer = new ProcessBuilder("cp", data.toString(), pipe.toString()).inheritIO().start();
        CommandRun.succeeding(trainOn(pipe));
        assertEquals(0, writer.waitFor());
        assertArrayEquals(adapter, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
    }

    @Test
    void unknownTrackersAreToldBeforeAnythingElse() {
        assertTrue(CommandRun.failing(2, train("--tracker", "tensorbord"))
                .contains("unknown tracker 'tensorbord'"));
        assertTrue(CommandRun.succeeding("train", "--help").out().replaceAll("\\s", "")
                .contains("tensorboard[=DIR],mlflow[=URI],wandb[=DIR],csv[=FILE]"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"int8", "q4"})
    void onAQuantizedBase(String dtype) {
        CommandRun run = CommandRun.succeeding("train", "--model", MODEL, "--data", data, "--output", output,
                "--batch-size", 4, "--epochs", 2, "--rank", 4, "--learning-rate", "1e-2", "--dtype", dtype);
        assertTrue(run.err().contains(dtype + ": as asked for"), run.err());
        // The adapter is an adapter as any other, for the full base, too.
        assertTrue(loss(output) < 0.95 * loss(null), loss(output) + " against " + loss(null));
        CommandRun score = CommandRun.succeeding("score", "--model", MODEL, "--data", data, "--adapter", output,
                "--json", "--dtype", dtype);
        double quantized = score.json().stream().mapToDouble(row -> row.get("nll").asDouble()).sum();
        assertTrue(quantized < 0.95 * loss(null), quantized + " against " + loss(null));
        assertTrue(quantized != loss(output), "nothing was rounded");
    }

    @Test
    void theWholeConfigurationIsPrinted() {
        String err = CommandRun.succeeding(train("--schedule", "cosine", "--warmup-steps", 2)).err();
        for (String part : List.of("model:      " + MODEL, "trainable params:", "\"lora_alpha\"", "epochs 2",
                "batch size 4",
                "learning rate 0.01, cosine, warm-up steps 2, weight decay 0.0, max grad norm 1.0", "shuffled, seed 0",
                "output:     " + output, "trained 6 of 6 steps in", "adapter in " + output, "peak memory")) {
            assertTrue(err.contains(part), part + " is missing in " + err);
        }
    }

    @Test
    void batchesArePackedAndMaskedAsAskedFor() throws IOException {
        Object[] packed = {"train", "--model", MODEL, "--data", data, "--output", output, "--epochs", 2, "--rank", 4,
            "--dtype", "f32", "--packing", "best-fit", "--pack-tokens", 120, "--learn", "all", "--json"};
        CommandRun run = CommandRun.succeeding(packed);
        assertTrue(run.err().contains("batches of 120 tokens, packing best-fit"), run.err());
        long tokens = 0;
        for (String line : Files.readAllLines(output.resolve("metrics.jsonl"))) {
            JsonNode step = CommandRun.parse(line);
            assertTrue(step.get("tokens").asLong() <= 120, line);
            // All but the first token of each of the examples, of which a batch has at least one.
            long given = step.get("tokens").asLong() - step.get("supervised_tokens").asLong();
            assertTrue(given >= 1 && given <= 10, line);
            tokens += step.get("tokens").asLong();
        }
        long expected = CommandRun.succeeding("data", "preview", data, "--model", MODEL, "--rows", "10", "--json")
                .json().stream().mapToLong(row -> row.get("tokens").asLong()).sum();
        assertEquals(2 * expected, tokens, "every token comes once an epoch");
        output = folder.resolve("again");
        assertTrue(CommandRun.failing(2, train("--packing", "best-fit", "--pack-tokens", 120))
                .contains("--batch-size"));
        assertTrue(CommandRun.failing(2, train("--packing", "tight")).contains("shared-prefixes"));
        assertTrue(CommandRun.failing(2, train("--learn", "nothing")).contains("last-turn"));
    }

    @Test
    void jsonLinesAreAloneOnStdout() throws IOException {
        List<JsonNode> lines = CommandRun.succeeding(train("--json", "--validation", data)).json();
        List<JsonNode> metrics = Files.readAllLines(output.resolve("metrics.jsonl")).stream().map(CommandRun::parse)
                .toList();
        assertEquals(metrics, lines.subList(0, lines.size() - 1));
        assertEquals(6 + 3, metrics.size(), "6 steps, and the loss before, between and after 2 epochs");
        List<Double> validation = metrics.stream().filter(line -> line.has("eval_loss"))
                .map(line -> line.get("eval_loss").asDouble()).toList();
        assertTrue(validation.get(2) < validation.get(0), validation.toString());
        JsonNode last = lines.get(lines.size() - 1);
        assertEquals(output.toString(), last.get("adapter").asText());
        assertEquals(6, last.get("steps").asInt());
        assertFalse(last.get("cancelled").asBoolean());
        assertEquals(validation.get(2), last.get("eval_loss").asDouble());
    }

    @Test
    void theSameSeedGivesTheSameAdapter() throws IOException {
        CommandRun.succeeding(train("--seed", 3, "--dropout", 0.1));
        byte[] first = Files.readAllBytes(output.resolve("adapter_model.safetensors"));
        output = folder.resolve("again");
        CommandRun.succeeding(train("--seed", 3, "--dropout", 0.1));
        assertArrayEquals(first, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
        output = folder.resolve("other");
        CommandRun.succeeding(train("--seed", 4, "--dropout", 0.1));
        assertFalse(java.util.Arrays.equals(first, Files.readAllBytes(output.resolve("adapter_model.safetensors"))));
    }

    @Test
    void targetsAreAllLinearNamesOrAnExpression() {
        String[] targets = {"all-linear", "q_proj,v_proj", "q_proj, v_proj", ".*layers\\.0\\.self_attn\\.(q|v)_proj"};
        int[] layers = {21, 6, 6, 2};
        for (int i = 0; i < targets.length; i++) {
            output = folder.resolve("adapter" + i);
            CommandRun.succeeding(train("--target-modules", targets[i]));
            assertEquals(2 * layers[i], tensors(output), targets[i]);
        }
    }

    private static int tensors(Path adapter) {
        try (SafetensorsFile file = SafetensorsFile.open(adapter.resolve("adapter_model.safetensors"))) {
            return file.names().size();
        }
    }

    @Test
    void anAdapterConfigFileIsUsed() throws IOException {
        Path config = Files.writeString(folder.resolve("config.json"),
                "{\"peft_type\": \"LORA\", \"r\": 2, \"use_rslora\": "
                        + "true, \"target_modules\": [\"q_proj\"], \"base_model_name_or_path\": \"somebody/else\"}");
        Object[] words = {"train", "--model", MODEL, "--data", data, "--output", output, "--adapter-config", config};
        CommandRun.succeeding(words);
        JsonNode saved = CommandRun.read(output.resolve("adapter_config.json"));
        assertEquals(2, saved.get("r").asInt());
        assertTrue(saved.get("use_rslora").asBoolean());
        assertEquals(MODEL.toString(), saved.get("base_model_name_or_path").asText());
        assertEquals(6, tensors(output));
    }

    @Test
    void anExistingAdapterIsTrainedFurther() {
        CommandRun.succeeding(train());
        double before = loss(output);
        Path first = output;
        output = folder.resolve("second");
        CommandRun run = CommandRun.succeeding("train", "--model", MODEL, "--data", data, "--output", output,
                "--adapter-init", first, "--epochs", 2, "--learning-rate", "1e-2", "--dtype", "f32");
        assertTrue(run.err().contains("adapter:    from " + first), run.err());
        assertTrue(loss(output) < before, loss(output) + " against " + before);
    }

    @Test
    void aFolderWithARunIsNotTouched() throws IOException {
        CommandRun.succeeding(train());
        byte[] weights = Files.readAllBytes(output.resolve("adapter_model.safetensors"));
        byte[] metrics = Files.readAllBytes(output.resolve("metrics.jsonl"));
        CommandRun run = CommandRun.of(train("--seed", 5));
        assertEquals(1, run.status());
        assertTrue(run.err().contains("already holds a run")
                && run.err().contains("--if-exists next") && run.err().contains("--if-exists overwrite"), run.err());
        assertArrayEquals(weights, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
        assertArrayEquals(metrics, Files.readAllBytes(output.resolve("metrics.jsonl")));
        CommandRun next = CommandRun.succeeding(train("--seed", 5, "--if-exists", "next", "--json"));
        assertEquals(output + "-2", next.json().get(next.json().size() - 1).get("adapter").asText());
        assertArrayEquals(weights, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
        CommandRun.succeeding(train("--seed", 5, "--if-exists", "overwrite"));
        assertArrayEquals(Files.readAllBytes(Path.of(output + "-2").resolve("adapter_model.safetensors")),
                Files.readAllBytes(output.resolve("adapter_model.safetensors")));
        assertEquals(2, CommandRun.of(train("--if-exists", "never")).status());
        assertEquals(2, CommandRun.of(train("--if-exists", "next", "--resume")).status());
    }

    @Test
    void checkpointsAreWrittenAndResumedFrom() throws IOException {
        CommandRun.succeeding(train("--checkpoint-steps", 4));
        byte[] weights = Files.readAllBytes(output.resolve("adapter_model.safetensors"));
        assertTrue(Files.exists(output.resolve("checkpoint-4/adapter_model.safetensors")));
        // As a machine that stops leaves it.
        Files.delete(output.resolve("adapter_model.safetensors"));
        CommandRun run = CommandRun.succeeding(train("--checkpoint-steps", 4, "--resume", "--json"));
        assertTrue(run.err().contains("4 steps done before"), run.err());
        assertTrue(run.err().contains("trained 6 of 6 steps"), run.err());
        assertEquals(List.of(5, 6), run.json().stream().filter(line -> line.has("train_loss") && line.has("step"))
                .map(line -> line.get("step").asInt()).toList());
        assertArrayEquals(weights, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--checkpoint-steps | -1 | 0 (none) or more",
        "--epochs | 0 | at least 1",
        "--epochs | many | not an int",
        "--learning-rate | -1 | above 0",
        "--rank | 0 | an integer from 1 to 65536",
        "--dropout | 1 | below 1",
        "--schedule | stairs | linear",
        "--dtype | f8 | must be auto, f32, bf16, int8 or q4",
        "--method | magic | lora",
        "--max-length | 0 | at least 1",
        "--threads | 0 | at least 1",
    })
    void outOfRangeValuesAreWrongUsage(String option, String value, String complaint) {
        String err = CommandRun.failing(2, "train", "--model", MODEL, "--data", data, "--output", output, option,
                value);
        assertTrue(err.contains(complaint), err);
        assertFalse(Files.exists(output));
    }

    @Test
    void conflictingOptionsAreWrongUsage() {
        assertTrue(CommandRun.failing(2, train("--adapter-init", folder)).contains("--rank cannot be combined with"));
        assertTrue(CommandRun.failing(2, train("--adapter-init", folder, "--adapter-config", data))
                .contains("mutually exclusive"));
    }

    @Test
    void whatIsMissingForATrainingOfSeveralMachinesIsWrongUsage() {
        String workers = "--workers=localhost:7001,localhost:7002";
        assertTrue(CommandRun.failing(2, train(workers)).contains("--workers needs a --worker-rank from 0 to 1"));
        assertTrue(CommandRun.failing(2, train("--worker-rank", 0)).contains("are for a training with --workers"));
        assertTrue(CommandRun.failing(2, train(workers, "--worker-rank", 1))
                .contains("set the variable PEFT4J_WORKERS_SECRET"));
        assertTrue(CommandRun.failing(2, train("--workers=localhost", "--worker-rank", 0))
                .contains("'localhost', which is not HOST:PORT"));
        assertTrue(CommandRun.failing(2, train(workers, "--worker-rank", 2, "--workers-secret=s"))
                .contains("worker 2 of 2 workers"));
    }

    @Test
    void unknownOptionsNameTheNearest() {
        String err = CommandRun.failing(2, train("--learning-rat", "1"));
        assertTrue(err.contains("--learning-rat") && err.contains("--learning-rate"), err);
        assertTrue(CommandRun.failing(2, "trian").contains("train"), "the nearest command");
    }

    @Test
    void invalidDataIsReported() throws IOException {
        Files.writeString(data, row("a", "b") + "\n{\"messages\": [{\"role\": \"user\" \"content\": 1}]}\n");
        String err = CommandRun.failing(1, train());
        assertTrue(err.startsWith("peft4j: " + data + ":2:"), err);
        assertTrue(err.matches("(?s).*:2:\\d+: is not valid JSON.*"), err);
        Files.writeString(data, "");
        assertTrue(CommandRun.failing(1, train()).contains("contains no examples"));
        Files.delete(data);
        assertTrue(CommandRun.failing(1, train()).contains("no such file"));
        assertFalse(Files.exists(output));
    }

    @Test
    void longExamplesAreLeftOutAndReported() throws IOException {
        Files.writeString(data, row("a", "b") + "\n" + row("Who?", "The keeper. ".repeat(20)) + "\n");
        CommandRun run = CommandRun.succeeding(train("--max-length", 60));
        assertTrue(run.err().contains("1 example with"), run.err());
        assertTrue(run.err().contains("1 example left out"), run.err());
        Files.writeString(data, row("Who?", "The keeper. ".repeat(20)) + "\n");
        output = folder.resolve("second");
        CommandRun none = CommandRun.of(train("--max-length", 60));
        assertEquals(1, none.status());
        assertTrue(none.err().contains("longer than 60 tokens"), none.err());
    }

    private static final String BOOK = "# Staff\n\n## Canteen\n\nThe canteen opens at 11:40. Please keep it clean.\n\n"
            + "## Parking\n\nParking spaces cost 47 euros a month.\n\n## Security\n\n"
            + "Passwords must have at least 17 characters.\n";

    @Test
    void aDocumentIsTrainedOnAndItsRowsAreWritten() throws IOException {
        Path book = Files.writeString(folder.resolve("book.md"), BOOK);
        CommandRun run = CommandRun.succeeding(trainOn(book));
        List<String> rows = Files.readAllLines(output.resolve("rows.jsonl"));
        List<String> held = Files.readAllLines(output.resolve("heldout.jsonl"));
        assertTrue(rows.stream().anyMatch(row -> row.contains("17 characters")), rows.toString());
        assertEquals(3, held.size(), held.toString());
        assertTrue(held.stream().noneMatch(rows::contains), held.toString());
        assertTrue(run.err().contains(rows.size() + " learned in " + output.resolve("rows.jsonl")), run.err());
        assertTrue(run.err().contains("./peft4j evaluate --model " + MODEL + " --adapter " + output + " --data "
                + output.resolve("heldout.jsonl")), run.err());
        CommandRun.succeeding(trainOn(book));
        assertEquals(held, Files.readAllLines(output.resolve("heldout.jsonl")), "the seed decides");
    }

    @Test
    void aFolderIsReadAsItsDocumentsAndOthersAreNamed() throws IOException {
        Path books = Files.createDirectory(folder.resolve("books"));
        Files.writeString(books.resolve("a.md"), BOOK);
        Files.copy(Path.of("../../formats/documents/src/test/resources/fixtures/handbook.docx")
                books.resolve("b.docx"));
        Files.writeString(books.resolve("c.pdf"), "no pdf");
        Files.writeString(books.resolve("notes.txt"), "Nothing.");
        CommandRun run = CommandRun.succeeding(trainOn(books));
        String rows = Files.readString(output.resolve("rows.jsonl"));
        assertTrue(rows.contains("17 characters"), rows);
        assertTrue(run.err().contains("WITHOUT 2 files") && run.err().contains("c.pdf") && run.err()
                .contains("notes.txt: is no document"), run.err());
        String check = CommandRun.succeeding("data", "check", books).out();
        assertFalse(check.contains("unfilled_row"), check);
    }

    @Test
    void aFolderWithoutDocumentsNamesTheTypesThatAreRead() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        String message = CommandRun.failing(1, trainOn(empty));
        assertTrue(message.contains("is a folder without a document that can be read; of [.md, .markdown, .html, .htm, "
                + ".docx, .pdf, .xlsx]"), message);
        Path plain = Files.writeString(folder.resolve("plain.md"), "# Words\n\nPlease get well soon.\n");
        assertTrue(CommandRun.failing(1, trainOn(plain)).contains("gave no row with a question"));
    }
}
