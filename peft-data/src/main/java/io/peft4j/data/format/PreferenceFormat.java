package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.PreferenceExample;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A prompt with a better and a worse answer, in OpenAI's or in Hugging Face's form; written in OpenAI's. */
final class PreferenceFormat implements RowFormat {
    private static final List<String> SIDES = List.of("prompt", "chosen", "rejected");
    private static final String PARALLEL = "parallel_tool_calls";

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey("chosen") && fields.containsKey("rejected")
                || fields.containsKey("input") && (fields.containsKey("preferred_output")
                        || fields.containsKey("preferred_completion"));
    }

    @Override
    public Optional<Example> read(DataRow row) {
        return row.fields().containsKey("chosen") || row.fields().containsKey("rejected")
                ? huggingFace(row) : openAi(row);
    }

    private static Optional<Example> openAi(DataRow row) {
        if (!(row.fields().get("input") instanceof Map<?, ?> map)) {
            row.fatal("missing_messages", "has no object \"input\" with \"messages\"");
            return Optional.empty();
        }
        DataRow input = new DataRow(row.file(), row.line(), DataRow.object(map), row.faults(), row.unknownKeys(),
                row.lines());
        String better = row.fields().containsKey("preferred_completion") ? "preferred_completion" : "preferred_output";
        String worse = row.fields().containsKey("non_preferred_completion") ? "non_preferred_completion"
                : "non_preferred_output";
        Optional<List<ChatMessage>> prompt = MessageReader.read(input, "messages");
        Optional<List<ChatMessage>> preferred = answers(row, better);
        Optional<List<ChatMessage>> rejected = answers(row, worse);
        Map<String, Object> extra = row.extra("input", better, worse);
        List<Map<String, Object>> tools = MessageReader.readTools(input);
        extra.putAll(input.extra("messages", "tools", "functions"));
        return prompt.isEmpty() || preferred.isEmpty() || rejected.isEmpty() ? Optional.empty()
                : Optional.of(new PreferenceExample(prompt.get(), preferred.get(), rejected.get(), tools, extra,
                        row.origin()));
    }

    private static Optional<List<ChatMessage>> answers(DataRow row, String key) {
        return MessageReader.read(row, key).filter(messages -> MessageReader.requireAnswers(row, messages));
    }

    private static Optional<Example> huggingFace(DataRow row) {
        Optional<List<ChatMessage>> preferred = side(row, "chosen", "assistant");
        Optional<List<ChatMessage>> rejected = side(row, "rejected", "assistant");
        Optional<List<ChatMessage>> given = row.fields().containsKey("prompt")
                ? side(row, "prompt", "user") : Optional.of(List.of());
        List<Map<String, Object>> tools = MessageReader.readTools(row);
        if (given.isEmpty() || preferred.isEmpty() || rejected.isEmpty()) {
            return Optional.empty();
        }
        int common = promptWithin(given.get(), preferred.get(), rejected.get());
        List<ChatMessage> prompt = common > 0 ? preferred.get().subList(0, common) : given.get();
        List<ChatMessage> better = preferred.get().subList(common, preferred.get().size());
        List<ChatMessage> worse = rejected.get().subList(common, rejected.get().size());
        if (prompt.isEmpty()) {
            row.fatal("missing_messages",
                    "has no \"prompt\", and \"chosen\" and \"rejected\" do not begin alike");
        }
        boolean answered = MessageReader.requireAnswers(row, better) & MessageReader.requireAnswers(row, worse);
        return !answered || prompt.isEmpty() ? Optional.empty() : Optional.of(new PreferenceExample(prompt, better,
                worse, tools, row.extra("prompt", "chosen", "rejected", "tools", "functions"), row.origin(),
                tools.isEmpty() && SIDES.stream().allMatch(key -> row.fields().get(key) instanceof String)));
    }

    /**
     * How many turns at the beginning of both sides are the prompt once more: those up to its last turn if there is
     * one, else everything that both sides have in common.
     */
    private static int promptWithin(List<ChatMessage> prompt, List<ChatMessage> better, List<ChatMessage> worse) {
        int common = 0;
        int asked = 0;
        int most = Math.min(better.size(), worse.size()) - 1;
        while (common < most && better.get(common).equals(worse.get(common))) {
            ChatMessage turn = better.get(common++);
            boolean last = !prompt.isEmpty() && common >= prompt.size()
                    && sameTurn(turn, prompt.get(prompt.size() - 1));
            asked = prompt.isEmpty() || last && asked == 0 ? common : asked;
        }
        return asked;
    }

    private static boolean sameTurn(ChatMessage one, ChatMessage other) {
        return one.role().equals(other.role()) && one.content().strip().equals(other.content().strip());
    }

    private static Optional<List<ChatMessage>> side(DataRow row, String key, String role) {
        return row.fields().get(key) instanceof List<?> ? MessageReader.read(row, key)
                : row.text(key, false).map(text -> List.of(new ChatMessage(role, text)));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        if (!(example instanceof PreferenceExample preference)) {
            return Optional.empty();
        }
        Map<String, Object> extra = new LinkedHashMap<>(preference.extra());
        Map<String, Object> input = new LinkedHashMap<>();
        input.put("messages", maps(preference.prompt()));
        if (!preference.tools().isEmpty()) {
            input.put("tools", preference.tools());
        }
        if (extra.containsKey(PARALLEL)) {
            input.put(PARALLEL, extra.remove(PARALLEL));
        }
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("input", input);
        row.put("preferred_output", maps(preference.preferred()));
        row.put("non_preferred_output", maps(preference.rejected()));
        return RowFormat.with(row, extra, "preferred_completion", "non_preferred_completion");
    }

    private static List<Map<String, Object>> maps(List<ChatMessage> messages) {
        return messages.stream().map(ChatMessage::toMap).toList();
    }
}
