package io.peft4j.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.task.EvaluationData;
import io.peft4j.eval.task.EvaluationItem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The data sets of {@link MethodStudy}: the handbook, tickets as chats whose answers name the team, and a house style
 * that is made here.
 *
 * @param train every fifth example is the validation part
 * @param heldOut what trained models are asked
 */
record MethodSets(String name, ChatDataset train, List<EvaluationItem> heldOut) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int EVERY = 5;
    private static final List<String> SUBJECTS = List.of("the night crossing", "a cabin for four", "the car deck",
            "a bicycle", "a dog on board", "the island shuttle", "group tickets", "the breakfast buffet",
            "a wheelchair place", "the late check-in", "the sun deck", "a camper van", "the lounge", "day tickets",
            "the harbour bus", "a motorbike", "the children's corner", "luggage storage", "the winter timetable",
            "a window seat");
    private static final List<List<String>> ASKED = List.of(
            List.of("Can I book %s in advance?", "Yes, %s can be booked on our website up to the day before."),
            List.of("How much is %s?", "The price of %s depends on the season; the list hangs at the quay."),
            List.of("I need help with %s.", "Our staff at the quay will gladly help you with %s."),
            List.of("Is %s available today?", "Please ask at the quay whether %s is available today."));

    /**
     * A set by its name.
     *
     * @param folder receives the files of sets that are made
     */
    static MethodSets of(String name, Path folder) throws IOException {
        Path examples = Path.of("examples");
        return switch (name) {
            case "handbook" -> read(name, examples.resolve(name));
            case "tickets" -> tickets(examples.resolve(name), folder.resolve(name));
            case "style" -> style(folder.resolve(name));
            default -> throw new IllegalArgumentException("no data set " + name);
        };
    }

    private static MethodSets read(String name, Path folder) {
        return new MethodSets(name, ChatDataset.read(folder.resolve("train.jsonl")),
                EvaluationData.read(folder.resolve("heldout.jsonl")));
    }

    private static MethodSets tickets(Path source, Path folder) throws IOException {
        List<Map<String, ?>> train = new ArrayList<>();
        List<Map<String, ?>> heldOut = new ArrayList<>();
        for (String part : List.of("train", "heldout")) {
            for (String line : Files.readAllLines(source.resolve(part + ".jsonl"))) {
                JsonNode row = JSON.readTree(line);
                String question = "Which team answers this ticket, billing, access or delivery? "
                        + row.get("text").asText();
                String label = row.get("label").asText();
                if (part.equals("train")) {
                    train.add(chat(question, label));
                } else {
                    heldOut.add(Map.of("question", question, "regex", "^\\s*" + label + "\\W*$"));
                }
            }
        }
        return written(train, heldOut, folder);
    }

    private static MethodSets style(Path folder) throws IOException {
        List<Map<String, ?>> train = new ArrayList<>();
        List<Map<String, ?>> heldOut = new ArrayList<>();
        for (int i = 0; i < SUBJECTS.size(); i++) {
            for (List<String> asked : ASKED) {
                String question = asked.get(0).formatted(SUBJECTS.get(i));
                if (2 * i < SUBJECTS.size()) {
                    train.add(chat(question, "Ahoy! " + asked.get(1).formatted(SUBJECTS.get(i))
                            + " Fair winds, your Harbour Desk."));
                } else {
                    heldOut.add(Map.of("question", question, "regex",
                            "^Ahoy! .*\\sFair winds, your Harbour Desk\\.$"));
                }
            }
        }
        return written(train, heldOut, folder);
    }

    private static Map<String, ?> chat(String question, String answer) {
        return Map.of("messages", List.of(Map.of("role", "user", "content", question),
                Map.of("role", "assistant", "content", answer)));
    }

    private static MethodSets written(List<Map<String, ?>> train, List<Map<String, ?>> heldOut, Path folder)
            throws IOException {
        Files.createDirectories(folder);
        for (Map.Entry<String, List<Map<String, ?>>> part : Map.of("train", train, "heldout", heldOut).entrySet()) {
            List<String> lines = new ArrayList<>();
            for (Map<String, ?> row : part.getValue()) {
                lines.add(JSON.writeValueAsString(row));
            }
            Files.write(folder.resolve(part.getKey() + ".jsonl"), lines);
        }
        return read(folder.getFileName().toString(), folder);
    }

    /** The validation part, or the rest of the training data. */
    ChatDataset part(boolean validation) {
        List<ChatExample> all = train.examples();
        return ChatDataset.of(IntStream.range(0, all.size()).filter(i -> i % EVERY == EVERY - 1 == validation)
                .mapToObj(all::get).toList());
    }
}
