package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.Example;
import io.peft4j.data.JsonLines;
import io.peft4j.data.PreferenceExample;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A prompt with a better and a worse answer, in OpenAI's or in Hugging Face's form; written in OpenAI's. */
final class PreferenceFormat implements RowFormat {
    private static final String PARALLEL = "parallel_tool_calls";

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey("chosen") && fields.containsKey("rejected")
                || fields.containsKey("input") && (fields.containsKey("preferred_output")
                || fields.containsKey("preferred_completion"));
    }

    @Override
    public Optional<Example> read(JsonLines.Row row, MessageReader reader, Faults faults) {
        return row.fields().containsKey("chosen") || row.fields().containsKey("rejected")
                ? huggingFace(row, reader, faults) : openAi(row, reader, faults);
    }

    private static Optional<Example> openAi(JsonLines.Row row, MessageReader reader, Faults faults) {
        if (!(row.fields().get("input") instanceof Map<?, ?> map)) {
            faults.add(RowFault.fatal("missing_messages", "has no object \"input\" with \"messages\""));
            return Optional.empty();
        }
        JsonLines.Row input = new JsonLines.Row(row.file(), row.line(), JsonLines.object(map));
        String better = row.fields().containsKey("preferred_completion") ? "preferred_completion" : "preferred_output";
        String worse = row.fields().containsKey("non_preferred_completion") ? "non_preferred_completion"
                : "non_preferred_output";
        Optional<List<ChatMessage>> prompt = reader.messages(input, "messages", faults);
        Optional<List<ChatMessage>> preferred = answers(row, reader, better, faults);
        Optional<List<ChatMessage>> rejected = answers(row, reader, worse, faults);
        Map<String, Object> extra = Rows.extra(row, "input", better, worse);
        Map<String, Object> rest = input.fields();
        List<Map<String, Object>> tools = MessageReader.tools(rest, faults);
        rest.keySet().removeAll(List.of("messages", "tools", "functions"));
        extra.putAll(rest);
        return example(row, prompt, preferred, rejected, tools, extra);
    }

    private static Optional<List<ChatMessage>> answers(JsonLines.Row row, MessageReader reader, String key,
            Faults faults) {
        return reader.messages(row, key, faults).filter(messages -> Rows.requireAnswers(messages, faults));
    }

    private static Optional<Example> huggingFace(JsonLines.Row row, MessageReader reader, Faults faults) {
        Optional<List<ChatMessage>> preferred = side(row, reader, "chosen", "assistant", faults);
        Optional<List<ChatMessage>> rejected = side(row, reader, "rejected", "assistant", faults);
        Optional<List<ChatMessage>> prompt;
        if (row.fields().containsKey("prompt")) {
            prompt = side(row, reader, "prompt", "user", faults);
        } else if (preferred.isPresent() && rejected.isPresent()) {
            int common = 0;
            int most = Math.min(preferred.get().size(), rejected.get().size()) - 1;
            while (common < most && preferred.get().get(common).equals(rejected.get().get(common))) {
                common++;
            }
            prompt = Optional.of(preferred.get().subList(0, common)).filter(list -> !list.isEmpty());
            if (prompt.isEmpty()) {
                faults.add(RowFault.fatal("missing_messages",
                        "has no \"prompt\", and \"chosen\" and \"rejected\" do not begin alike"));
            }
            preferred = Optional.of(preferred.get().subList(common, preferred.get().size()));
            rejected = Optional.of(rejected.get().subList(common, rejected.get().size()));
        } else {
            prompt = Optional.empty();
        }
        return example(row, prompt, preferred, rejected, MessageReader.tools(row.fields(), faults),
                Rows.extra(row, "prompt", "chosen", "rejected", "tools", "functions"));
    }

    private static Optional<List<ChatMessage>> side(JsonLines.Row row, MessageReader reader, String key, String role,
            Faults faults) {
        return row.fields().get(key) instanceof List<?> ? reader.messages(row, key, faults)
                : Rows.text(row, key, false, faults).map(text -> List.of(new ChatMessage(role, text)));
    }

    private static Optional<Example> example(JsonLines.Row row, Optional<List<ChatMessage>> prompt,
            Optional<List<ChatMessage>> preferred, Optional<List<ChatMessage>> rejected,
            List<Map<String, Object>> tools, Map<String, Object> extra) {
        return prompt.isEmpty() || preferred.isEmpty() || rejected.isEmpty() ? Optional.empty()
                : Optional.of(new PreferenceExample(prompt.get(), preferred.get(), rejected.get(), tools, extra,
                        Rows.origin(row)));
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
        row.putAll(extra);
        return Optional.of(row);
    }

    private static List<Map<String, Object>> maps(List<ChatMessage> messages) {
        return messages.stream().map(ChatMessage::toMap).toList();
    }
}
