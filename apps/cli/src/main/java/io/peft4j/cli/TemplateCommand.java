package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.Tool;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.models.tokenizer.JinjaChatTemplate;
import io.peft4j.models.tokenizer.Tokenizers;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code peft4j template}: what a chat template makes of conversations, and of answers. */
@Command(name = "template", sortOptions = false, description = "Shows what a chat template makes of conversations and "
        + "answers.", subcommands = {TemplateCommand.Render.class, TemplateCommand.Parse.class})
final class TemplateCommand extends CommandGroup {
    private static final TypeReference<List<Map<String, Object>>> OBJECTS = new TypeReference<>() {
    };
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {
    };

    /** What both have: a template, and a file with an object a line. */
    abstract static class Lines extends PeftCommand {
        @Option(names = "--template", required = true, paramLabel = "FILE.jinja|ID|DIR|FILE.gguf",
                description = "The template, or a model that has one.")
        private String template;

        @Option(names = "--json", description = "Prints one JSON object a line.")
        private boolean json;

        /** Takes a line; gives what is printed of it as JSON. */
        abstract ObjectNode line(ChatTemplate chat, JsonNode line);

        /** The same for people. */
        abstract String words(ChatTemplate chat, JsonNode line);

        final int run(Path file) {
            ChatTemplate chat = chat();
            try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                int number = 0;
                for (String text = lines.readLine(); text != null; text = lines.readLine()) {
                    number++;
                    if (!text.isBlank()) {
                        print(chat, parsed(file, number, text), number);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file, e);
            }
            return 0;
        }

        private void print(ChatTemplate chat, JsonNode line, int number) {
            if (json) {
                console().print(line(chat, line));
            } else {
                console().out().printf("line %d:%n%s%n%n", number, words(chat, line));
                console().checkOut();
            }
        }

        private static JsonNode parsed(Path file, int number, String text) {
            try {
                JsonNode line = CommandJson.MAPPER.readTree(text);
                if (line.isObject()) {
                    return line;
                }
            } catch (JsonProcessingException e) {
                throw new DataException(file, number, 0, "is no JSON: " + e.getOriginalMessage(), e);
            }
            throw new DataException(file, number, "is no JSON object");
        }

        private ChatTemplate chat() {
            if (template.endsWith(".jinja")) {
                try {
                    return JinjaChatTemplate.of(Files.readString(Path.of(template)));
                } catch (IOException e) {
                    throw new UncheckedIOException("cannot read the template " + template, e);
                }
            }
            return Tokenizers.of(ModelLocator.fromEnvironment().locate(template)).chatTemplate()
                    .orElseThrow(() -> new ConfigurationException(template + " has no chat template"));
        }

        static List<Map<String, Object>> objects(JsonNode value) {
            return value.isArray() ? CommandJson.MAPPER.convertValue(value, OBJECTS) : List.of();
        }
    }

    /** {@code peft4j template render}: conversations as the model sees them. */
    @Command(name = "render", sortOptions = false, description = {"Shows conversations as the model sees them: special "
            + "tokens within « and », and what is learned within [[ and ]]."})
    static final class Render extends Lines {
        private static final Pattern SPECIAL = Pattern.compile("<[|｜][^<>\\s]*>|<[^<>\\s|｜]*[|｜]>|</?s>|"
                + "<(start|end)_of_\\w+>|<(start|end)_function_\\w+>|<(bos|eos|escape)>|\\[/?[A-Z_]+]");

        @Option(names = "--conversations", required = true, paramLabel = "FILE",
                description = "A JSON object a line: messages, and if need be tools, add_generation_prompt, kwargs, "
                        + "bos_token and eos_token; rows of training data will do.")
        private Path conversations;

        @Override
        public Integer call() {
            return run(conversations);
        }

        @Override
        ObjectNode line(ChatTemplate chat, JsonNode line) {
            ObjectNode result = CommandJson.MAPPER.createObjectNode();
            try {
                return result.put("text", render(chat, line, messages(line), line.path("add_generation_prompt")
                        .asBoolean()));
            } catch (PeftException | IllegalArgumentException e) {
                return result.put("error", e.getMessage());
            }
        }

        private static List<ChatMessage> messages(JsonNode line) {
            return objects(line.path("messages")).stream().map(ChatMessage::fromMap).toList();
        }

        private static String render(ChatTemplate chat, JsonNode line, List<ChatMessage> messages, boolean prompt) {
            Map<String, Object> variables = new LinkedHashMap<>();
            for (String token : List.of("bos_token", "eos_token")) {
                Optional.ofNullable(line.get(token)).filter(JsonNode::isTextual)
                        .ifPresent(value -> variables.put(token, value.asText()));
            }
            if (line.path("kwargs").isObject()) {
                variables.putAll(CommandJson.MAPPER.convertValue(line.get("kwargs"), OBJECT));
            }
            if (line.path("tools").isArray()) {
                variables.put("tools", objects(line.get("tools")));
            }
            return chat.render(messages, prompt, objects(line.path("tools")), variables);
        }

        @Override
        String words(ChatTemplate chat, JsonNode line) {
            List<ChatMessage> messages;
            String text;
            try {
                messages = messages(line);
                text = render(chat, line, messages, line.path("add_generation_prompt").asBoolean());
            } catch (PeftException | IllegalArgumentException e) {
                return "error: " + e.getMessage();
            }
            TreeMap<Integer, String> marks = new TreeMap<>();
            for (int i = 0; i < messages.size(); i++) {
                if (messages.get(i).role().equals("assistant")) {
                    learned(chat, line, messages, i, text, marks);
                }
            }
            SPECIAL.matcher(text).results().forEach(token -> {
                marks.merge(token.start(), "«", String::concat);
                marks.merge(token.end(), "»", (before, close) -> close + before);
            });
            StringBuilder marked = new StringBuilder(text);
            marks.descendingMap().forEach(marked::insert);
            return marked.toString();
        }

        /** Marks an answer where the text up to it, as a prompt, begins the whole. */
        private static void learned(ChatTemplate chat, JsonNode line, List<ChatMessage> messages, int index,
                String text,
                Map<Integer, String> marks) {
            try {
                String prompt = render(chat, line, messages.subList(0, index), true);
                String whole = render(chat, line, messages.subList(0, index + 1), false);
                if (text.startsWith(prompt) && text.startsWith(whole) && whole.length() > prompt.length()) {
                    marks.put(prompt.length(), "[[");
                    marks.put(whole.stripTrailing().length(), "]]");
                }
            } catch (PeftException e) {
                // Such a beginning is no conversation for this template.
            }
        }
    }

    /** {@code peft4j template parse}: thoughts, content and calls of tools in answers. */
    @Command(name = "parse", sortOptions = false, description = {"Takes answers apart: thoughts, content and calls of "
            + "tools, in the form that the template has."})
    static final class Parse extends Lines {
        @Option(names = "--answers", required = true, paramLabel = "FILE",
                description = "A JSON object a line: answer, and tools where calls of others are none.")
        private Path answers;

        private Optional<ToolForm> form = Optional.empty();

        @Override
        public Integer call() {
            return run(answers);
        }

        private ParsedAnswer parsed(ChatTemplate chat, JsonNode line) {
            if (form.isEmpty()) {
                form = ToolForm.of(chat);
            }
            return ToolForm.parse(form, line.path("answer").asText(), Tool.of(objects(line.path("tools"))));
        }

        @Override
        ObjectNode line(ChatTemplate chat, JsonNode line) {
            ParsedAnswer parsed = parsed(chat, line);
            ObjectNode result = CommandJson.MAPPER.createObjectNode().put("content", parsed.content());
            if (!parsed.reasoning().isEmpty()) {
                result.put("reasoning_content", parsed.reasoning());
            }
            result.putArray("tool_calls").addAll(parsed.calls().stream().map(call -> CommandJson.MAPPER
                    .createObjectNode().put("name", call.name()).<ObjectNode>set("arguments", call.arguments()))
                    .toList());
            if (!parsed.wrong().isEmpty()) {
                result.putArray("invalid_tool_calls").addAll(parsed.wrong().stream().map(wrong -> CommandJson.MAPPER
                        .createObjectNode().put("text", wrong.text()).put("reason", wrong.reason())).toList());
            }
            return result;
        }

        @Override
        String words(ChatTemplate chat, JsonNode line) {
            ParsedAnswer parsed = parsed(chat, line);
            List<String> all = new ArrayList<>(
                    List.of("form: " + form.map(ToolForm::name).orElse("none, the template has "
                            + "no tools") + ", " + Count.of(parsed.calls().size(), "call")));
            if (!parsed.reasoning().isEmpty()) {
                all.add("thought: " + parsed.reasoning());
            }
            if (!parsed.content().isEmpty()) {
                all.add("content: " + parsed.content());
            }
            parsed.calls().stream().map(ToolCall::toString).forEach(call -> all.add("call: " + call));
            parsed.wrong().forEach(wrong -> all.add("no valid call, since " + wrong.reason() + ": " + wrong.text()));
            return String.join(System.lineSeparator(), all);
        }
    }
}
