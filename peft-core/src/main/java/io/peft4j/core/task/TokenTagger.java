package io.peft4j.core.task;

import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Labels words, for instance as parts of names. A word's label is that of its first piece.
 *
 * <pre>{@code
 * List<String> words = List.of("Ada", "Lovelace", "lived", "in", "London");
 * new TokenTagger(model).entities(words).forEach(System.out::println);
 * }</pre>
 */
public final class TokenTagger {
    private static final String OUTSIDE = "O";

    private final Model model;
    private final Task task;

    /**
     * A tagger.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model was loaded for another task than TOKEN_CLS
     */
    public TokenTagger(Model model) {
        this.model = Objects.requireNonNull(model, "model");
        this.task = HeadPasses.require(model, Task.Type.TOKEN_CLS);
    }

    /** The entities among words, by their labels in IOB form; see {@link EntitySpan#of}. */
    public List<EntitySpan> entities(List<String> words) {
        return EntitySpan.of(tag(words));
    }

    /**
     * An entity in a text.
     *
     * @param type its type, for instance {@code PER}
     * @param start index of its first character
     * @param end index after its last character
     */
    public record Place(String type, int start, int end) {
    }

    /** The entities of a text, of tokens in a row; a text that is too long for the model is read in parts. */
    public List<Place> places(String text) {
        List<Place> places = new ArrayList<>();
        for (TextEncoder.Window window : TextEncoder.of(model).windows(text)) {
            int[] tokens = IntStream.range(0, window.starts().length).map(i -> i + window.firstToken()).toArray();
            for (EntitySpan span : EntitySpan.of(labels(tokens, logitsOf(List.of(window.sequence())).get(0)))) {
                place(text, span.type(), window.starts()[span.first()], window.ends()[span.end() - 1])
                        .ifPresent(places::add);
            }
        }
        return places;
    }

    /** Without spaces around it, which belong to the tokens of some tokenizers. */
    private static Optional<Place> place(String text, String type, int start, int end) {
        String found = text.substring(start, end);
        int first = start + found.length() - found.stripLeading().length();
        return found.isBlank() ? Optional.empty() : Optional.of(new Place(type, first, first + found.strip().length()));
    }

    /** The label of each word. */
    public List<String> tag(List<String> words) {
        return tagAll(List.of(words)).get(0);
    }

    /**
     * The labels of the words of many texts. A word that is cut off, since a text is longer than the model can read, or
     * that has no token is {@code O}, or without such a label the first one.
     */
    public List<List<String>> tagAll(List<List<String>> texts) {
        TextEncoder encoder = TextEncoder.of(model);
        List<TextEncoder.Words> encoded = texts.stream().map(encoder::words).toList();
        List<float[]> logits = logitsOf(encoded.stream().map(TextEncoder.Words::sequence).toList());
        List<List<String>> all = new ArrayList<>();
        for (int i = 0; i < encoded.size(); i++) {
            all.add(labels(encoded.get(i).firstPieces(), logits.get(i)));
        }
        return all;
    }

    /**
     * The labels that the {@link #logitsOf} a sequence say.
     *
     * @param firstPieces for each word the index of its first token, -1 where it has none
     */
    public List<String> labels(int[] firstPieces, float[] logits) {
        List<String> labels = new ArrayList<>();
        for (int token : firstPieces) {
            labels.add(token >= 0 ? task.labels().get(best(logits, token))
                    : task.labels().contains(OUTSIDE) ? OUTSIDE : task.labels().get(0));
        }
        return labels;
    }

    private int best(float[] logits, int token) {
        int columns = task.labels().size();
        int best = 0;
        for (int i = 1; i < columns; i++) {
            best = logits[token * columns + i] > logits[token * columns + best] ? i : best;
        }
        return best;
    }

    /** The logits of each token of sequences, [T, labels] row after row, special tokens included. */
    public List<float[]> logitsOf(List<TokenSequence> sequences) {
        return HeadPasses.outputs(model, sequences);
    }

    /**
     * An entity: words in a row with one type.
     *
     * @param type the type, for instance {@code PER}
     * @param first the first word
     * @param end the word after the last
     */
    public record EntitySpan(String type, int first, int end) {
        /**
         * The entities that labels in IOB form ({@code B-PER}, {@code I-PER}, {@code O}; also {@code E-} and
         * {@code S-}) say, as seqeval reads them by default: an entity begins at a {@code B-} or {@code S-}, and also
         * at an {@code I-} or {@code E-} after another type or none.
         */
        public static List<EntitySpan> of(List<String> labels) {
            List<EntitySpan> spans = new ArrayList<>();
            String tagBefore = "O";
            String typeBefore = "";
            int begin = 0;
            for (int i = 0; i <= labels.size(); i++) {
                String label = i < labels.size() ? labels.get(i) : "O";
                String tag = label.substring(0, 1);
                String rest = label.substring(label.indexOf('-', 1) < 0 ? 1 : label.indexOf('-', 1) + 1);
                String type = rest.isEmpty() ? "_" : rest;
                if (ends(tagBefore, tag, typeBefore, type)) {
                    spans.add(new EntitySpan(typeBefore, begin, i));
                }
                if (begins(tagBefore, tag, typeBefore, type)) {
                    begin = i;
                }
                tagBefore = tag;
                typeBefore = type;
            }
            return spans;
        }

        private static boolean ends(String before, String now, String typeBefore, String type) {
            if (before.equals("O") || before.equals(".")) {
                return false;
            }
            return before.equals("E") || before.equals("S") || "BSO".contains(now) || !typeBefore.equals(type);
        }

        private static boolean begins(String before, String now, String typeBefore, String type) {
            if (now.equals("O") || now.equals(".")) {
                return false;
            }
            return now.equals("B") || now.equals("S") || "ESO".contains(before) || !typeBefore.equals(type);
        }
    }
}
