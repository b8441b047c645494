package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers equal those of Hugging Face; streams carry what they should. */
class GenerateCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path MODEL = FIXTURES.resolve("tiny-llama");
    private static final int END_OF_TURN = 2;

    @TempDir
    Path folder;

    private Path data(List<String> rows) throws IOException {
        return Files.write(folder.resolve("data.jsonl"), rows);
    }

    /** The rows of the fixture by model and adapter: those with {@code messages}, or those with {@code prompt}. */
    private static Map<List<String>, List<JsonNode>> fixture(String form) {
        Map<List<String>, List<JsonNode>> groups = new LinkedHashMap<>();
        for (JsonNode row : CommandRun.read(FIXTURES.resolve("generation.json")).get("rows")) {
            if (row.has(form)) {
                List<String> key = Arrays.asList(row.get("model").asText(), row.get("adapter").asText(""));
                groups.computeIfAbsent(key, k -> new ArrayList<>()).add(row);
            }
        }
        assertTrue(!groups.isEmpty());
        return groups;
    }

    private void assertFixture(String form, List<String> key, List<JsonNode> rows, String... more) throws IOException {
        List<String> lines = new ArrayList<>();
        for (JsonNode row : rows) {
            ObjectNode line = JSON.createObjectNode();
            line.set(form, row.get(form));
            lines.add(line.toString());
        }
        Path model = FIXTURES.resolve(key.get(0));
        List<Object> words = new ArrayList<>(List.of("generate", "--model", model, "--data", data(lines),
                "--max-new-tokens", 20, "--dtype", "f32", "--json"));
        words.addAll(List.of(more));
        if (!key.get(1).isEmpty() && !key.get(1).equals("null")) {
            words.addAll(List.of("--adapter", FIXTURES.resolve("adapters").resolve(key.get(1))));
        }
        List<JsonNode> answers = CommandRun.succeeding(words.toArray()).json();
        assertEquals(rows.size(), answers.size());
        try (BaseModel base = BaseModel.load(model.toString())) {
            for (int i = 0; i < rows.size(); i++) {
                int[] ids = StreamSupport.stream(rows.get(i).get("new_tokens").spliterator(), false)
                        .mapToInt(JsonNode::asInt).takeWhile(id -> id != END_OF_TURN)
                        .filter(id -> id < base.tokenizer().vocabSize()).toArray();
                assertEquals(base.tokenizer().decode(ids, true), answers.get(i).get("text").asText(),
                        rows.get(i).toString());
            }
        }
    }

    @Test
    void chatsAreAnsweredAsByHuggingFace() throws IOException {
        for (Map.Entry<List<String>, List<JsonNode>> group : fixture("messages").entrySet()) {
            assertFixture("messages", group.getKey(), group.getValue());
        }
    }

    @Test
    void textsAreContinuedAsByHuggingFace() throws IOException {
        for (Map.Entry<List<String>, List<JsonNode>> group : fixture("prompt").entrySet()) {
            assertFixture("prompt", group.getKey(), group.getValue(), "--plain");
        }
    }

    @Test
    void aPromptIsAChatMessageIfThereIsATemplate() throws IOException {
        String question = "What is the notice period?";
        Path file = data(List.of("{\"question\": \"" + question + "\"}", "{\"prompt\": \"" + question + "\"}",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"" + question + "\"}]}"));
        List<JsonNode> rows = CommandRun.succeeding("generate", "--model", MODEL, "--data", file, "--max-new-tokens", 8)
                .json();
        assertEquals(rows.get(2), rows.get(0));
        assertEquals(rows.get(2), rows.get(1));
        CommandRun streamed = CommandRun.succeeding("generate", "--model", MODEL, "--prompt", question,
                "--max-new-tokens", 8);
        assertEquals(rows.get(2).get("text").asText() + System.lineSeparator(), streamed.out());
        CommandRun json = CommandRun.succeeding("generate", "--model", MODEL, "--prompt", question,
                "--max-new-tokens", 8, "--json");
        assertEquals(List.of(rows.get(2)), json.json());
        CommandRun plain = CommandRun.succeeding("generate", "--model", MODEL, "--prompt", question, "--plain",
                "--max-new-tokens", 8, "--json");
        assertNotEquals(json.out(), plain.out());
    }

    @Test
    void samplingDependsOnTheSeedAlone() throws IOException {
        List<Object> words = List.of("generate", "--model", MODEL, "--prompt", "Who?", "--max-new-tokens", 12,
                "--temperature", 1.5, "--json", "--seed");
        List<String> answers = new ArrayList<>();
        for (int seed : new int[] {1, 1, 2}) {
            List<Object> all = new ArrayList<>(words);
            all.add(seed);
            answers.add(CommandRun.succeeding(all.toArray()).out());
        }
        assertEquals(answers.get(0), answers.get(1));
        assertNotEquals(answers.get(0), answers.get(2));
    }

    @Test
    void wrongUsageIsReported() {
        assertTrue(CommandRun.failing(2, "generate", "--model", MODEL).contains("--prompt"));
        assertTrue(CommandRun.failing(2, "generate", "--model", MODEL, "--prompt", "a", "--data", "b")
                .contains("mutually exclusive"));
        assertTrue(CommandRun.failing(2, "generate", "--model", MODEL, "--prompt", "a", "--top-k", "5")
                .contains("no effect"));
        assertTrue(CommandRun.failing(2, "generate", "--model", MODEL, "--prompt", "a", "--max-new-tokens", "0")
                .contains("at least 1"));
    }

    @Test
    void missingFilesAndModelsAreReported() throws IOException {
        Path missing = folder.resolve("missing.jsonl");
        assertTrue(CommandRun.failing(1, "generate", "--model", MODEL, "--data", missing)
                .startsWith("peft4j: cannot read " + missing + ": no such file"));
        assertTrue(CommandRun.failing(1, "generate", "--model", folder.resolve("no-model"), "--prompt", "a")
                .startsWith("peft4j: Model '" + folder.resolve("no-model") + "' was not found"));
        assertTrue(CommandRun.failing(1, "generate", "--model", MODEL, "--adapter", folder, "--prompt", "a")
                .contains("is not an adapter"));
    }

    @Test
    void answersFollowARegularExpressionOrASchema() throws IOException {
        Path prompts = data(List.of("{\"prompt\": \"one\"}", "{\"prompt\": \"two\"}"));
        for (JsonNode row : CommandRun.succeeding("generate", "--model", MODEL, "--data", prompts, "--json",
                "--regex", "[0-9]{3} (days|weeks)", "--temperature", 1, "--answers", 2).json()) {
            assertTrue(row.get("text").asText().matches("[0-9]{3} (days|weeks)"), row.toString());
        }
        Path schema = Files.writeString(folder.resolve("schema.json"),
                "{\"properties\": {\"paid\": {\"type\": \"boolean\"}}, \"required\": [\"paid\"]}");
        List<JsonNode> rows = CommandRun.succeeding("generate", "--model", MODEL, "--data", prompts, "--json",
                "--json-schema", schema, "--log-probs", 2).json();
        assertEquals(2, rows.size());
        for (JsonNode row : rows) {
            assertTrue(JSON.readTree(row.get("text").asText()).get("paid").isBoolean(), row.toString());
            assertTrue(row.get("tokens").size() > 3 && row.get("tokens").get(0).get("log_prob").doubleValue() <= 0
                    && row.get("tokens").get(0).get("most_likely").size() == 2, row.toString());
        }
    }

    @Test
    void anAnswerThatIsCutBeforeItMatchesIsSaidToBe() {
        String[] words = {"generate", "--model", MODEL.toString(), "--prompt", "one"};
        CommandRun cut = run(words, "--regex", "[0-9]{40} days", "--max-new-tokens", "5");
        assertTrue(cut.err().contains("warning: the answer is cut at --max-new-tokens 5, before it matches --regex"),
                cut.err());
        JsonNode row = run(words, "--regex", "[0-9]{40} days", "--json", "--max-new-tokens", "5").json().get(0);
        assertEquals("length", row.get("finish_reason").asText());
        assertFalse(row.get("follows_constraint").booleanValue());
        CommandRun stopped = run(words, "--regex", "[0-9]{3} days", "--stop", "da");
        assertTrue(stopped.err().contains("cut at --stop, before it matches --regex"), stopped.err());
        JsonNode whole = run(words, "--regex", "[0-9]{1,2}", "--json").json().get(0);
        assertEquals("stop", whole.get("finish_reason").asText());
        assertTrue(whole.get("follows_constraint").booleanValue());
        assertFalse(run(words, "--regex", "[0-9]{1,2}").err().contains("cut"));
    }

    private static CommandRun run(String[] words, String... more) {
        return CommandRun.succeeding((Object[]) Stream.concat(Stream.of(words), Stream.of(more))
                .toArray(String[]::new));
    }

    @Test
    void wrongConstraintsAreToldBeforeTheModelLoads() throws IOException {
        String unknown = CommandRun.failing(2, "generate", "--model", "no/such-model", "--prompt", "x",
                "--regex", "(a");
        assertTrue(unknown.contains("the regular expression (a has a ( that nothing closes"), unknown);
        assertTrue(CommandRun.failing(1, "generate", "--model", "no/such-model", "--prompt", "x", "--json-schema",
                folder.resolve("none.json")).contains("cannot read the JSON schema"));
        assertTrue(CommandRun.failing(2, "generate", "--model", "m", "--prompt", "x", "--log-probs", "2")
                .contains("--log-probs needs --json"));
    }
}
