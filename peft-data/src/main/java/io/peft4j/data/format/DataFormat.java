package io.peft4j.data.format;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.TextExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The kinds of rows that are read and written, in the order in which they are recognised. */
public enum DataFormat {
    /**
     * Held-out items: {@code question}, {@code prompt} or {@code messages} with {@code must_contain}, {@code any_of},
     * {@code reference} or what else a right answer is known by, and no answer to learn. Training data is never such.
     */
    EVALUATION(new EvaluationFormat()),
    /** OpenAI and Hugging Face: {@code {"messages": [...], "tools": [...]}}. */
    CHAT(new ChatFormat()),
    /** Gemini and Vertex AI: {@code {"systemInstruction": {...}, "contents": [...]}}. */
    GEMINI(new GeminiFormat()),
    /** {@code {"conversations": [{"from": "human", "value": "..."}, ...]}}. */
    SHAREGPT(new ShareGptFormat()),
    /**
     * OpenAI's {@code {"input": {"messages": [...]}, "preferred_output": [...], "non_preferred_output": [...]}}, and
     * {@code {"prompt", "chosen", "rejected"}} as texts or as lists of messages, the prompt also left out.
     */
    PREFERENCE(new PreferenceFormat()),
    /** {@code {"prompt", "completion"}} as texts, or as lists of messages. */
    COMPLETION(new CompletionFormat()),
    /** {@code {"instruction", "input", "output"}}, also with {@code system} and {@code history}. */
    ALPACA(new AlpacaFormat()),
    /**
     * {@code {"question", "answer"}}, also with {@code system}: the form for tables. Also {@code user} and
     * {@code assistant}, {@code query} or {@code instruction} and {@code response}, {@code input} and {@code output}.
     */
    QA(new QuestionAnswerFormat()),
    /** {@code {"text", "label"}}. */
    CLASSIFICATION(new ClassificationFormat()),
    /** {@code {"text"}}. */
    TEXT(new TextFormat(false)),
    /** Rows for models with a head, whatever their keys are; recognised where they are checked and cleaned. */
    TASK(new TextFormat(true));

    private final RowFormat rows;

    DataFormat(RowFormat rows) {
        this.rows = rows;
    }

    /** Its name as users write it, such as {@code chat}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The format of a name, in any case; {@code openai} and {@code messages} are {@link #CHAT}, {@code vertex} is
     * {@link #GEMINI}, {@code dpo} is {@link #PREFERENCE}.
     *
     * @throws ConfigurationException when there is none
     */
    public static DataFormat named(String name) {
        String known = switch (name.toLowerCase(Locale.ROOT)) {
            case "openai", "messages" -> "chat";
            case "vertex" -> "gemini";
            case "dpo" -> "preference";
            default -> name;
        };
        return Arrays.stream(values()).filter(format -> format.name().equalsIgnoreCase(known)).findFirst()
                .orElseThrow(() -> new ConfigurationException("unknown data format '" + name + "'; use one of "
                        + names()));
    }

    /** The names, in lower case. */
    public static List<String> names() {
        return Arrays.stream(values()).map(DataFormat::word).toList();
    }

    /** The first format that a row looks like. */
    public static Optional<DataFormat> of(Map<String, Object> fields) {
        return Arrays.stream(values()).filter(format -> format.rows.recognizes(fields)).findFirst();
    }

    /** The example of a row; empty when the row has a fatal fault then. */
    Optional<Example> read(DataRow row) {
        return rows.read(row);
    }

    /** Whether rows can be cells of a table: others hold lists of messages. */
    boolean fitsTables() {
        return !List.of(EVALUATION, CHAT, GEMINI, SHAREGPT).contains(this);
    }

    /** The row of an example; empty where this format cannot hold it. */
    public Optional<Map<String, Object>> write(Example example) {
        return rows.write(example);
    }

    /** A text and its class; a class that is a number is read as its digits. */
    private static final class ClassificationFormat implements RowFormat {
        @Override
        public boolean recognizes(Map<String, Object> fields) {
            return fields.containsKey("text") && fields.containsKey("label");
        }

        @Override
        public Optional<Example> read(DataRow row) {
            if (row.fields().get("label") instanceof Number || row.fields().get("label") instanceof Boolean) {
                row.fields().put("label", row.fields().get("label").toString());
            }
            Optional<String> text = row.text("text", false);
            Optional<String> label = row.text("label", false);
            return text.isEmpty() || label.isEmpty() ? Optional.empty()
                    : Optional.of(new ClassificationExample(text.get(),
                            label.get(), row.extra("text", "label"), row.origin()));
        }

        @Override
        public Optional<Map<String, Object>> write(Example example) {
            if (!(example instanceof ClassificationExample row)) {
                return Optional.empty();
            }
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("text", row.text());
            fields.put("label", row.label());
            fields.putAll(row.extra());
            return Optional.of(fields);
        }
    }

    /** OpenAI's chat format; the old {@code functions} are read as {@code tools}. */
    private static final class ChatFormat implements RowFormat {
        @Override
        public boolean recognizes(Map<String, Object> fields) {
            return fields.containsKey("messages");
        }

        @Override
        public Optional<Example> read(DataRow row) {
            Optional<List<ChatMessage>> messages = MessageReader.read(row, "messages");
            messages.ifPresent(turns -> MessageReader.requireAnswers(row, turns));
            List<Map<String, Object>> tools = MessageReader.readTools(row);
            return row.isWrong() ? Optional.empty() : Optional.of(new ChatExample(messages.orElseThrow(), tools,
                    row.extra("messages", "tools", "functions"), row.origin()));
        }

        @Override
        public Optional<Map<String, Object>> write(Example example) {
            return example.toChat().flatMap(ChatFormat::row);
        }

        private static Optional<Map<String, Object>> row(ChatExample chat) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("messages", chat.messages().stream().map(ChatMessage::toMap).toList());
            if (!chat.tools().isEmpty()) {
                row.put("tools", chat.tools());
            }
            return RowFormat.with(row, chat.extra(), "tools", "functions");
        }
    }

    /**
     * Plain text.
     *
     * @param whole whether the whole row is its text, which is written as it was read
     */
    private record TextFormat(boolean whole) implements RowFormat {
        @Override
        public boolean recognizes(Map<String, Object> fields) {
            return fields.containsKey("text") && !whole;
        }

        @Override
        public Optional<Example> read(DataRow row) {
            return whole ? Optional.of(new TextExample(told(row.fields().values()), row.fields(), row.origin()))
                    : row.text("text", false)
                            .map(text -> new TextExample(text, row.extra("text"), row.origin()));
        }

        private static String told(Object value) {
            return value instanceof Map<?, ?> map ? told(map.values()) : value instanceof Collection<?> list
                    ? list.stream().map(TextFormat::told).collect(Collectors.joining(" ")) : String.valueOf(value);
        }

        @Override
        public Optional<Map<String, Object>> write(Example example) {
            if (!(example instanceof TextExample text)) {
                return Optional.empty();
            }
            Map<String, Object> row = new LinkedHashMap<>();
            if (!whole) {
                row.put("text", text.text());
            }
            row.putAll(text.extra());
            return Optional.of(row);
        }
    }

    /** A question and its answer: how people fill tables. */
    private static final class QuestionAnswerFormat implements RowFormat {
        private static final List<List<String>> PAIRS = List.of(List.of("question", "answer"),
                List.of("user", "assistant"),
                List.of("query", "response"), List.of("instruction", "response"), List.of("input", "output"));
        private static final String SYSTEM = "system";

        @Override
        public boolean recognizes(Map<String, Object> fields) {
            return PAIRS.stream().anyMatch(pair -> fields.keySet().containsAll(pair));
        }

        @Override
        public Optional<Example> read(DataRow row) {
            List<String> pair = PAIRS.stream().filter(p -> row.fields().keySet().containsAll(p)).findFirst()
                    .orElse(PAIRS.get(0));
            Optional<String> question = row.text(pair.get(0), false);
            Optional<String> answer = row.text(pair.get(1), false);
            if (question.isEmpty() || answer.isEmpty()) {
                return Optional.empty();
            }
            List<ChatMessage> messages = new ArrayList<>(row.system());
            messages.add(ChatMessage.user(question.get()));
            messages.add(ChatMessage.assistant(answer.get()));
            return Optional.of(new ChatExample(messages, List.of(), row.extra(pair.get(0), pair.get(1), SYSTEM),
                    row.origin()));
        }

        @Override
        public Optional<Map<String, Object>> write(Example example) {
            if (example.toChat().isEmpty()) {
                return Optional.empty();
            }
            ChatExample chat = example.toChat().get();
            int from = chat.messages().get(0).role().equals(SYSTEM) ? 1 : 0;
            if (!chat.isPlain() || chat.messages().size() != from + 2
                    || from == 1 && chat.messages().get(0).content().isBlank()) {
                return Optional.empty();
            }
            Map<String, Object> row = new LinkedHashMap<>();
            row.put(SYSTEM, from == 1 ? chat.messages().get(0).content() : "");
            row.put(PAIRS.get(0).get(0), chat.messages().get(from).content());
            row.put(PAIRS.get(0).get(1), chat.messages().get(from + 1).content());
            return RowFormat.with(row, chat.extra());
        }
    }

    /** A held-out item: what is asked and what a right answer is known by, but no answer to learn. It is only read. */
    private static final class EvaluationFormat implements RowFormat {
        private static final List<String> ASKED = List.of("question", "prompt", "messages");
        private static final List<String> ANSWERS = List.of("reference", "answer", "completion");
        private static final List<String> TEXTS = List.of("reference", "must_contain", "any_of", "regex", "choices");
        private static final List<String> OTHERS = List.of("label", "format", "refusal");

        @Override
        public boolean recognizes(Map<String, Object> fields) {
            boolean answered = fields.get("answer") instanceof String && !fields.containsKey("choices");
            boolean asks = fields.containsKey("question") ? !answered
                    : fields.containsKey("prompt") ? !fields.containsKey("completion") && !fields.containsKey("chosen")
                            : fields.get("messages") instanceof List<?> turns && !turns.isEmpty()
                                    && !(turns.get(turns.size() - 1) instanceof Map<?, ?> last
                                            && "assistant".equals(last.get("role")));
            return asks
                    && (TEXTS.stream().anyMatch(fields::containsKey) || OTHERS.stream().anyMatch(fields::containsKey));
        }

        @Override
        public Optional<Example> read(DataRow row) {
            List<ChatMessage> messages = new ArrayList<>();
            for (String key : row.present(ASKED).stream().limit(1).toList()) {
                if (row.fields().get(key) instanceof List<?>) {
                    MessageReader.read(row, key).ifPresent(messages::addAll);
                } else {
                    row.text(key, false).map(ChatMessage::user).ifPresent(messages::add);
                }
            }
            boolean answered = !messages.isEmpty() && messages.get(messages.size() - 1).role().equals("assistant");
            boolean judged = answered || row.fields().containsKey("tools")
                    || OTHERS.stream().anyMatch(row.fields()::containsKey);
            for (String key : row.present(Stream.concat(ANSWERS.stream(), TEXTS.stream()).distinct().toList())) {
                Object value = row.fields().get(key);
                List<?> texts = value instanceof List<?> several ? several : List.of(value == null ? "" : value);
                boolean whole = !texts.isEmpty() && texts.stream().allMatch(each -> each instanceof String text
                        && !text.isBlank());
                judged |= whole;
                if (ANSWERS.contains(key) && whole && !answered && !messages.isEmpty()) {
                    answered = messages.add(ChatMessage.assistant(texts.get(0).toString()));
                }
            }
            if (!judged && !messages.isEmpty()) {
                row.fatal("missing_content", "holds no text that a right answer is known by");
            }
            return messages.isEmpty() || !judged ? Optional.empty()
                    : Optional.of(new ChatExample(messages, List.of(), row.fields(), row.origin()));
        }

        @Override
        public Optional<Map<String, Object>> write(Example example) {
            return Optional.empty();
        }
    }

    /**
     * A prompt and its completion; where both are lists of messages, a chat of which the completion is learned. A chat
     * of one question and its answer is written as texts, any other one as lists: the completion begins with the first
     * answer that is learned.
     */
    private static final class CompletionFormat implements RowFormat {
        private static final String PROMPT = "prompt";
        private static final String COMPLETION = "completion";

        @Override
        public boolean recognizes(Map<String, Object> fields) {
            return fields.containsKey(PROMPT) && fields.containsKey(COMPLETION);
        }

        @Override
        public Optional<Example> read(DataRow row) {
            if (row.fields().get(PROMPT) instanceof List<?>) {
                return chat(row);
            }
            Optional<String> prompt = row.text(PROMPT, true);
            Optional<String> completion = row.text(COMPLETION, false);
            return prompt.isEmpty() || completion.isEmpty() ? Optional.empty() : Optional.of(
                    ChatExample.continuation(prompt.get(), completion.get(), row.extra(PROMPT, COMPLETION),
                            row.origin()));
        }

        private static Optional<Example> chat(DataRow row) {
            Optional<List<ChatMessage>> prompt = MessageReader.read(row, PROMPT);
            Optional<List<ChatMessage>> completion = MessageReader.read(row, COMPLETION);
            if (prompt.isEmpty() || completion.isEmpty() || !MessageReader.requireAnswers(row, completion.get())) {
                return Optional.empty();
            }
            List<ChatMessage> messages = new ArrayList<>();
            prompt.get().forEach(turn -> messages.add(ChatExample.unlearned(turn)));
            messages.addAll(completion.get());
            return Optional.of(new ChatExample(messages, MessageReader.readTools(row),
                    row.extra(PROMPT, COMPLETION, "tools", "functions"), row.origin()));
        }

        @Override
        public Optional<Map<String, Object>> write(Example example) {
            Map<String, Object> row = new LinkedHashMap<>();
            if (!(example instanceof ChatExample chat)) {
                return Optional.empty();
            }
            if (chat.isPlain() && chat.messages().size() == 2) {
                row.put(PROMPT, chat.messages().get(0).content());
                row.put(COMPLETION, chat.messages().get(1).content());
                return RowFormat.with(row, chat.extra());
            }
            int first = 0;
            while (first < chat.messages().size() && !isLearned(chat.messages().get(first))) {
                first++;
            }
            if (first == 0 || first == chat.messages().size()) {
                return Optional.empty();
            }
            row.put(PROMPT, chat.messages().subList(0, first).stream().map(CompletionFormat::withoutWeight).toList());
            row.put(COMPLETION, chat.messages().subList(first, chat.messages().size()).stream().map(ChatMessage::toMap)
                    .toList());
            if (!chat.tools().isEmpty()) {
                row.put("tools", chat.tools());
            }
            return RowFormat.with(row, chat.extra(), "tools", "functions");
        }

        private static boolean isLearned(ChatMessage message) {
            return message.role().equals("assistant") && ChatExample.isLearned(message);
        }

        /** A prompt is never learned, so that its weight need not be said. */
        private static Map<String, Object> withoutWeight(ChatMessage message) {
            Map<String, Object> fields = message.toMap();
            fields.remove("weight");
            return fields;
        }
    }
}
