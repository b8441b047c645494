package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.FineTuningServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A base model, which has no chat template: what can be trained, asked and compared, and what is refused. */
class BaseModelCommandTest {
    private static final Path TINY = FIXTURES.resolve("tiny-llama");
    private static final String ANSWER = " the keeper of the lamp";

    @TempDir
    Path folder;

    private Path model;
    private Path adapter;

    @BeforeEach
    void takeTheTemplateAway() throws IOException {
        model = Files.createDirectory(folder.resolve("base"));
        adapter = folder.resolve("adapter");
        for (String name : List.of("config.json", "generation_config.json", "model.safetensors", "tokenizer.json")) {
            Files.copy(TINY.resolve(name), model.resolve(name));
        }
        ObjectNode config = (ObjectNode) CommandRun.read(TINY.resolve("tokenizer_config.json"));
        config.remove("chat_template");
        Files.writeString(model.resolve("tokenizer_config.json"), config.toString());
    }

    private Path rows(String name, String... rows) throws IOException {
        return Files.write(folder.resolve(name), List.of(rows));
    }

    private Object[] command(String name, Path data, Object... more) {
        List<Object> words = new ArrayList<>(List.of(name, "--model", model, "--data", data, "--dtype", "f32"));
        words.addAll(List.of(more));
        return words.toArray();
    }

    private Object[] training(Path data, Object... more) {
        List<Object> words = new ArrayList<>(List.of("--output", adapter, "--rank", 8, "--alpha", 16, "--epochs", 30,
                "--batch-size", 2, "--learning-rate", "2e-2"));
        words.addAll(List.of(more));
        return command("train", data, words.toArray());
    }

    @Test
    void endTokensThatAreNoNumbersAreRefused() throws IOException {
        for (String id : List.of("\"2\"", "[2, \"</s>\"]", "2.5")) {
            Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": " + id + "}");
            String message = CommandRun.failing(1, "generate", "--model", model, "--prompt", "a");
            assertTrue(message.contains("generation_config.json: eos_token_id is " + id.replace(", ", ",")
                    + "; expected the number of a token, or a list of numbers"), message);
        }
    }

    @Test
    void promptsAndCompletionsAreLearnedAskedAndCompared() throws IOException {
        Path data = rows("rows.jsonl", "{\"prompt\": \"Question: Who is it?\\nAnswer:\", \"completion\": \"" + ANSWER
                + "\"}", "{\"prompt\": \"Question: What is it?\\nAnswer:\", \"completion\": \" a lamp\"}");
        CommandRun.succeeding(training(data, "--validation", data));
        List<JsonNode> answers = CommandRun.succeeding(command("generate", data, "--adapter", adapter, "--json"))
                .json();
        assertEquals(List.of(ANSWER, " a lamp"), answers.stream().map(row -> row.get("text").asText()).toList());
        JsonNode report = CommandRun.succeeding(command("evaluate", data, "--adapter", adapter, "--no-guard", "--json"))
                .json().get(0);
        assertTrue(report.toString().contains("perplexity"), report.toString());
    }

    @Test
    void textsAreLearnedToTheirEnd() throws IOException {
        Path data = rows("texts.jsonl", "{\"text\": \"Once there was" + ANSWER + "\"}");
        CommandRun.succeeding(training(data));
        JsonNode told = CommandRun.succeeding("generate", "--model", model, "--adapter", adapter, "--prompt",
                "Once there", "--dtype", "f32", "--json").json().get(0);
        assertEquals(" was" + ANSWER, told.get("text").asText());
        CommandRun preview = CommandRun.succeeding("data", "preview", data, "--model", model);
        assertTrue(preview.out().contains("[[Once there was" + ANSWER + "<|im_end|>]]"), preview.out());
    }

    @Test
    void preferencesOfTextsAreLearnedAndThoseOfChatsNeedATemplate() throws IOException {
        Path texts = rows("pairs.jsonl", "{\"prompt\": \"Once there\", \"chosen\": \" was" + ANSWER
                + "\", \"rejected\": \" is a lamp\"}");
        CommandRun.succeeding(training(texts, "--objective", "dpo"));
        List<String> steps = Files.readAllLines(adapter.resolve("metrics.jsonl"));
        assertEquals(Math.log(2), CommandRun.parse(steps.get(0)).get("train_loss").asDouble(), 1e-5);
        assertEquals(1, CommandRun.parse(steps.get(steps.size() - 1)).get("rewards/accuracies").asDouble());

        Path chats = rows("chats.jsonl", "{\"input\": {\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]}, "
                + "\"preferred_output\": [{\"role\": \"assistant\", \"content\": \"Nobody.\"}], "
                + "\"non_preferred_output\": [{\"role\": \"assistant\", \"content\": \"Me.\"}]}");
        String refused = CommandRun.failing(1, command("train", chats, "--objective", "dpo", "--output",
                folder.resolve("other")));
        assertTrue(refused.contains("chats.jsonl:1:") && refused.contains("--chat-template FILE"), refused);
    }

    @Test
    void chatsNeedATemplateWhichCanBeGiven() throws IOException {
        String chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}, {\"role\": \"assistant\", "
                + "\"content\": \"Nobody.\"}]}";
        Path data = rows("chats.jsonl", chat);
        String refused = CommandRun.failing(1, training(data));
        assertTrue(refused.contains("chats.jsonl:1:") && refused.contains("--chat-template FILE"), refused);
        String missing = CommandRun.failing(2, training(data, "--chat-template", folder.resolve("none.jinja")));
        assertTrue(missing.contains("none.jinja"), missing);
        Path template = Files.writeString(folder.resolve("plain.jinja"), "{% for m in messages %}{{ m.role + ': ' "
                + "+ m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}");
        CommandRun.succeeding(training(data, "--chat-template", template));
        assertEquals("Nobody.", CommandRun.succeeding(command("generate", data, "--adapter", adapter, "--json",
                "--chat-template", template)).json().get(0).get("text").asText());
        assertEquals(Files.readString(template), Files.readString(adapter.resolve("chat_template.jinja")));
    }

    /** An answer with the likelihoods of its tokens, which any other prompt would change. */
    private String told(Path data, Object... more) {
        List<Object> words = new ArrayList<>(List.of("--adapter", adapter, "--json", "--log-probs", 1));
        words.addAll(List.of(more));
        return CommandRun.succeeding(command("generate", data, words.toArray())).json().get(0).toString();
    }

    @Test
    void toolsThatTheTemplateDoesNotShowNeedAForm() throws IOException {
        String row = "{\"messages\": [{\"role\": \"user\", \"content\": \"Light it.\"}, {"
                + "\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"type\": \"function\", "
                + "\"function\": {\"name\": \"light\", \"arguments\": \"{}\"}}]}], \"tools\": [{\"type\": "
                + "\"function\", \"function\": {\"name\": \"light\"}}]}";
        Path data = rows("calls.jsonl", row);
        Path plain = Files.writeString(folder.resolve("plain.jinja"), "{% for m in messages %}{{ m.role + ': ' "
                + "+ m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}");
        String none = CommandRun.failing(1, training(data, "--tool-form", "hermes"));
        assertTrue(none.contains("no chat template") && none.contains("--chat-template FILE"), none);
        String unknown = CommandRun.failing(1, training(data, "--chat-template", plain, "--tool-form", "hermess"));
        assertTrue(unknown.contains("'hermess'") && unknown.contains("hermes"), unknown);
        String refused = CommandRun.failing(1, training(data, "--chat-template", plain));
        assertTrue(refused.contains("calls.jsonl:1:") && refused.contains("--tool-form NAME")
                && refused.contains("hermes, "), refused);

        CommandRun.succeeding(training(data, "--chat-template", plain, "--tool-form", "hermes"));
        String template = ToolForm.named("hermes").template(Files.readString(plain));
        assertEquals(template, Files.readString(adapter.resolve("chat_template.jinja")));
        // The model has no template of its own, so that of the adapter is used unless another is given.
        String told = told(data);
        assertEquals("<tool_call>\n{\"name\": \"light\", \"arguments\": {}}\n</tool_call>",
                CommandRun.parse(told).get("text")
                        .asText());
        assertEquals(told, told(data, "--chat-template", adapter.resolve("chat_template.jinja")));
        assertEquals(told, told(data, "--chat-template", plain, "--tool-form", "hermes"));
        assertNotEquals(told, told(data, "--chat-template", plain));
        JsonNode report = CommandRun.succeeding(command("evaluate", data, "--adapter", adapter, "--no-guard", "--json"))
                .json().get(0);
        assertTrue(report.toString().contains("tool_call"), report.toString());
    }

    @Test
    void aModelWithoutAnEndOfSequenceTokenIsRefused() throws IOException {
        ObjectNode config = (ObjectNode) CommandRun.read(model.resolve("tokenizer_config.json"));
        config.remove("eos_token");
        Files.writeString(model.resolve("tokenizer_config.json"), config.toString());
        Path data = rows("rows.jsonl", "{\"prompt\": \"a\", \"completion\": \" b\"}");
        String refused = CommandRun.failing(1, training(data));
        assertTrue(refused.contains("eos_token"), refused);
    }

    @Test
    void quantizedWeightsOfABaseAreReportedAtEachLoadAndInEachFile() throws Exception {
        Path base = folder.resolve("q.gguf");
        Path data = Files.writeString(folder.resolve("d.jsonl"), "{\"question\":\"Who pays?\",\"answer\":\"Ann.\"}\n");
        CommandRun.succeeding("adapter", "merge", "--model", TINY, "--output",
                base, "--type", "Q8_0");
        Path output = folder.resolve("quantized");
        CommandRun run = CommandRun.of("train", "--model", base, "--data", data, "--output", output, "--epochs", 1,
                "--dtype", "f32");
        assertEquals(0, run.status(), run.err());
        String weights = "Q8_0 from a local file, expanded to f32";
        assertTrue(run.err().contains("weights: " + weights), run.err());
        assertTrue(Files.readString(output.resolve("README.md")).contains("| weights of the base | " + weights + " |"));
        assertTrue(Files.readString(output.resolve("peft4j_passport.json")).contains(weights));
        try (BaseModel loaded = BaseModel.load(base.toString());
                FineTuningServer server = FineTuningServer.builder(loaded, folder.resolve("server")).start()) {
            String health = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(server.url() + "/health"))
                    .build(), HttpResponse.BodyHandlers.ofString()).body();
            assertTrue(health.contains("\"weights\":\"Q8_0 from a local file, expanded to "), health);
        }
    }
}
