package io.peft4j.data.near;

import io.peft4j.core.Internal;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What held-out examples share with those that are trained on: the one notion of a leak, of checks, splits, evaluations
 * and advice. An example leaks when its question is asked in the training data in the same words in the same order:
 * filling words, case, punctuation, inflection and slips of the pen aside, every number and name and the task the same.
 * The same question in other words, or one with the same answer, is not a leak, it is what held-out data is for.
 *
 * <p>Every question of a training conversation counts, each alone, and of a held-out example its last one; system
 * prompts do not.
 *
 * @param matches one for each held-out example that shares something, by their numbers
 */
@Internal(shared = true)
public record Overlap(List<Match> matches) {
    /** Nothing is shared. */
    public static final Overlap NONE = new Overlap(List.of());

    /**
     * A held-out example.
     *
     * @param number its number in the corpus
     * @param leaked whether its question is asked in the training data in the same words; else in others
     * @param taught the numbers of what it shares that with, of one file
     */
    public record Match(int number, boolean leaked, List<Integer> taught) {
        /** Copies the list. */
        public Match {
            taught = List.copyOf(taught);
        }
    }

    /** Copies the list. */
    public Overlap {
        matches = List.copyOf(matches);
    }

    /**
     * Adds what an example asks to a corpus of questions.
     *
     * @param file 0 for what is trained on
     * @param line where the example is
     * @param whole the features of the example
     */
    public static void add(Corpus corpus, int file, long line, Example example, Corpus.Features whole) {
        List<Corpus.Features> asked = questions(example, whole);
        (file == 0 ? asked : asked.subList(asked.size() - 1, asked.size()))
                .forEach(one -> corpus.add(file, line, one));
    }

    /**
     * Each question of an example with what is answered to it; of one that asks nothing, the example itself.
     *
     * @param whole the features of the example
     */
    public static List<Corpus.Features> questions(Example example, Corpus.Features whole) {
        List<ChatMessage> messages = example.toChat().map(ChatExample::messages).orElse(List.of());
        if (messages.size() == 2 && messages.get(0).role().equals("user")) {
            return List.of(whole);
        }
        List<Corpus.Features> questions = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i).role().equals("user")) {
                boolean answered = i + 1 < messages.size() && messages.get(i + 1).role().equals("assistant");
                questions.add(features(messages.get(i).content(), answered ? messages.get(i + 1).content() : "",
                        TaskIds.of(example.extra())));
            }
        }
        return questions.isEmpty() ? List.of(whole) : questions;
    }

    /** The features of a question with its answer, of a task. */
    public static Corpus.Features features(String question, String answer, int task) {
        return Corpus.Features.of(ChatExample.of(ChatMessage.user(question), ChatMessage.assistant(answer))
                .inTask(task));
    }

    /** What examples of a corpus share with those of files of a lower number. */
    public static Overlap of(Corpus corpus, Relations relations) {
        List<Match> matches = new ArrayList<>();
        for (int[] group : relations.facts().several()) {
            for (int number : group) {
                int[] earlier = IntStream.of(group).filter(other -> corpus.file(other) < corpus.file(number)).toArray();
                if (earlier.length > 0) {
                    int[] same = IntStream.of(earlier).filter(other -> relations.questions().together(other, number)
                            && relations.sameWording(other, number)).toArray();
                    matches.add(match(corpus, number, same.length > 0, same.length > 0 ? same : earlier));
                }
            }
        }
        matches.sort((a, b) -> Integer.compare(a.number(), b.number()));
        return new Overlap(matches);
    }

    private static Match match(Corpus corpus, int number, boolean leaked, int... taught) {
        int file = corpus.file(taught[0]);
        return new Match(number, leaked, Arrays.stream(taught).filter(other -> corpus.file(other) == file).boxed()
                .toList());
    }

    /**
     * Examples that leak into each other, wherever they are put.
     *
     * @param corpus all questions of the examples; the line of each is the number of its example, its file 1 where it
     *     is the last of it, else 0
     * @param examples the number of examples
     */
    public static Groups together(Corpus corpus, int examples) {
        Relations relations = Relations.of(corpus);
        Groups together = new Groups(examples);
        for (int[] group : relations.questions().several()) {
            List<List<Integer>> wordings = new ArrayList<>();
            for (int number : group) {
                OptionalInt known = IntStream.range(0, wordings.size())
                        .filter(i -> relations.sameWording(wordings.get(i).get(0), number)).findFirst();
                known.ifPresentOrElse(i -> wordings.get(i).add(number),
                        () -> wordings.add(new ArrayList<>(List.of(number))));
            }
            // What is asked on the way only, such as a greeting, tests nothing.
            wordings.stream().filter(same -> same.stream().anyMatch(number -> corpus.file(number) == 1))
                    .forEach(same -> same.forEach(number -> together.join((int) corpus.line(same.get(0)),
                            (int) corpus.line(number))));
        }
        return together;
    }
}
