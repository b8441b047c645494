package io.peft4j.data.task;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.MessageReader;
import io.peft4j.data.format.OpenRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads prompts ({@code "messages"}, {@code "prompt"} or {@code "question"}), with or without {@code "samples"}. */
final class AnswerGroupRows {
    static final List<String> PROMPTS = List.of("messages", "prompt", "question");
    static final String SAMPLES = "samples";

    private AnswerGroupRows() {
    }

    /**
     * The groups of a file.
     *
     * @param sampled whether the rows bring their answers
     */
    static List<AnswerGroup> read(OpenRows rows, boolean sampled) {
        return rows.list("one of " + PROMPTS, row -> group(row, sampled));
    }

    private static AnswerGroup group(DataRow row, boolean sampled) {
        String form = row.one(PROMPTS, List.of(List.of("question")));
        Object value = row.fields().get(form);
        List<ChatMessage> asked = value instanceof String text && !form.equals("messages")
                ? List.of(ChatMessage.user(text)) : MessageReader.asked(row, form);
        return new AnswerGroup(new ChatExample(asked, MessageReader.tools(row), row.fields(),
                new Origin(row.file().toString(), row.line()), value instanceof String),
                sampled ? samples(row) : List.of());
    }

    private static List<AnswerGroup.Sample> samples(DataRow row) {
        List<AnswerGroup.Sample> samples = new ArrayList<>();
        if (!(row.fields().get(SAMPLES) instanceof List<?> list) || list.size() < 2) {
            throw row.wrong("\"" + SAMPLES + "\" must be a list of two answers or more: rewards are compared");
        }
        for (Object each : list) {
            boolean whole = each instanceof Map<?, ?> sample && sample.get("text") instanceof String
                    && sample.get("reward") instanceof Number reward && Double.isFinite(reward.doubleValue());
            if (!whole) {
                throw row.wrong("sample " + (samples.size() + 1) + " is not {\"text\": \"...\", \"reward\": number}");
            }
            Map<?, ?> sample = (Map<?, ?>) each;
            samples.add(new AnswerGroup.Sample((String) sample.get("text"),
                    ((Number) sample.get("reward")).doubleValue()));
        }
        return samples;
    }
}
