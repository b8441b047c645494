package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.task.EvaluationItem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Answers that a model gave to questions, several each, in a file that grows by a line an answer: whoever is stopped
 * resumes where they were.
 */
final class RecordedAnswers {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final List<EvaluationItem> items;
    private final int samples;
    private final Map<Integer, Map<Integer, Answer>> answers = new TreeMap<>();

    /**
     * An answer.
     *
     * @param text the text
     * @param seconds how long it took
     */
    record Answer(String text, double seconds) {
    }

    @FunctionalInterface
    interface Source {
        /**
         * Answers a question.
         *
         * @param sample 0: the likeliest answer; others are drawn
         */
        Answer answer(List<ChatMessage> question, int sample);
    }

    private RecordedAnswers(Path file, List<EvaluationItem> items, int samples) {
        this.file = file;
        this.items = items;
        this.samples = samples;
    }

    /** Opens a file and reads what of it belongs to these questions. */
    static RecordedAnswers open(Path file, List<EvaluationItem> items, int samples) {
        RecordedAnswers recorded = new RecordedAnswers(file, items, samples);
        if (Files.isRegularFile(file)) {
            recorded.read();
        }
        return recorded;
    }

    private void read() {
        try {
            int number = 0;
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                number++;
                JsonNode row = row(line, number);
                int item = row.path("item").asInt(-1);
                if (item >= 0 && item < items.size() && row.path("sample").asInt() < samples
                        && row.path("question").asText().equals(items.get(item).question())) {
                    put(item, row.path("sample").asInt(), new Answer(row.path("answer").asText(),
                            row.path("seconds").asDouble()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private JsonNode row(String line, int number) {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new FileFormatException(file, "line " + number + " is not JSON; delete the file to ask again");
        }
    }

    private void put(int item, int sample, Answer answer) {
        answers.computeIfAbsent(item, i -> new TreeMap<>()).put(sample, answer);
    }

    /** Asks what was not asked yet. */
    void complete(String model, Source source, Runnable each) {
        for (int item = 0; item < items.size(); item++) {
            for (int sample = 0; sample < samples; sample++) {
                if (!answers.getOrDefault(item, Map.of()).containsKey(sample)) {
                    Answer answer = source.answer(items.get(item).messages(), sample);
                    append(model, item, sample, answer);
                    put(item, sample, answer);
                }
                each.run();
            }
        }
    }

    private void append(String model, int item, int sample, Answer answer) {
        ObjectNode row = JSON.createObjectNode().put("model", model).put("item", item).put("sample", sample)
                .put("question", items.get(item).question()).put("answer", answer.text())
                .put("seconds", answer.seconds());
        row.set("references", JSON.valueToTree(items.get(item).references()));
        try {
            Files.writeString(file, row + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /** The answers to a question, the likeliest first. */
    List<String> texts(int item) {
        return answers.getOrDefault(item, Map.of()).values().stream().map(Answer::text).toList();
    }

    /** The share of right answers to each question. */
    double[] right() {
        double[] right = new double[items.size()];
        for (int item = 0; item < right.length; item++) {
            EvaluationItem asked = items.get(item);
            right[item] = texts(item).stream().mapToDouble(text -> asked.isAnsweredBy(text) ? 1 : 0).average()
                    .orElse(0);
        }
        return right;
    }

    /** The mean time of an answer in seconds. */
    double seconds() {
        List<Double> all = new ArrayList<>();
        answers.values().forEach(own -> own.values().forEach(answer -> all.add(answer.seconds())));
        return all.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    }

    List<EvaluationItem> items() {
        return items;
    }
}
