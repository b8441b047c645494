package io.peft4j.benchmarks;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * Writes a large file of chat rows from a seed, some 500 bytes each: questions about many offices, teams and grades
 * with long answers. Of a hundred rows three repeat an earlier one, three repeat one in nearly the same words, and one
 * contradicts one.
 */
public final class ChatRowsMaker {
    private static final String[] TOPICS = {"notice period", "training budget", "parental leave", "travel allowance",
        "probation", "overtime supplement", "sick pay", "parking permit", "laptop renewal", "pension share",
        "remote work share", "relocation grant", "bonus ceiling", "phone allowance", "meal voucher", "sabbatical"};
    private static final String[] GRADES = {"consultant", "senior consultant", "associate", "manager", "principal",
        "analyst", "partner", "team lead", "intern", "director", "architect", "engineer"};
    private static final int KEPT = 4096;

    private final SplittableRandom random;
    private final String[] words = new String[6000];
    private final String[] questions = new String[KEPT];
    private final String[] answers = new String[KEPT];

    private ChatRowsMaker(long seed) {
        random = new SplittableRandom(seed);
        for (int i = 0; i < words.length; i++) {
            StringBuilder word = new StringBuilder();
            for (int syllables = 2 + random.nextInt(3); syllables > 0; syllables--) {
                word.append("bcdfghklmnprstvw".charAt(random.nextInt(16))).append("aeiou".charAt(random.nextInt(5)));
            }
            words[i] = word.toString();
        }
    }

    /**
     * Writes the rows.
     *
     * @param arguments file, number of rows, seed
     */
    public static void main(String... arguments) throws IOException {
        ChatRowsMaker maker = new ChatRowsMaker(Long.parseLong(arguments[2]));
        long rows = Long.parseLong(arguments[1]);
        try (BufferedWriter out = Files.newBufferedWriter(Path.of(arguments[0]))) {
            for (long row = 0; row < rows; row++) {
                maker.write(row, out);
            }
        }
    }

    private String word() {
        return words[random.nextInt(words.length)];
    }

    private static String name(String word) {
        return Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }

    private void write(long row, BufferedWriter out) throws IOException {
        int kind = row < KEPT ? 100 : random.nextInt(100);
        int slot = (int) (row % KEPT);
        int other = random.nextInt(KEPT);
        String question;
        String answer;
        if (kind < 7) {
            question = kind < 3 || kind == 6 ? questions[other] : "Please, " + questions[other];
            answer = kind < 3 ? answers[other] : kind < 6 ? answers[other].replaceFirst("\\. ", "! ")
                    : answers[other].replaceFirst("\\d+", String.valueOf(500 + random.nextInt(400)));
        } else {
            String topic = TOPICS[random.nextInt(TOPICS.length)];
            String grade = GRADES[random.nextInt(GRADES.length)];
            String team = name(word());
            String office = name(word());
            question = "What is the " + topic + " for a " + grade + " of the " + team + " team in " + office + "?";
            answer = answer(topic, grade, office);
            questions[slot] = question;
            answers[slot] = answer;
        }
        out.write("{\"messages\": [{\"role\": \"user\", \"content\": \"" + question
                + "\"}, {\"role\": \"assistant\", \"content\": \"" + answer + "\"}]}\n");
    }

    private String answer(String topic, String grade, String office) {
        StringBuilder text = new StringBuilder("In " + office + " the " + topic + " of a " + grade + " is "
                + (1 + random.nextInt(400)) + " units.");
        while (text.length() < 340) {
            text.append(' ').append(name(word()));
            for (int i = 5 + random.nextInt(6); i > 0; i--) {
                text.append(' ').append(word());
            }
            text.append('.');
        }
        return text.toString();
    }
}
