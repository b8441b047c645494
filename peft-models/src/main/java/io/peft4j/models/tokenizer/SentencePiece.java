package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * SentencePiece's BPE in the form of {@code tokenizer.json}. SentencePiece has a score for each piece and joins the two
 * neighbours whose joined piece has the highest; {@code tokenizer.json} has a list of pairs in the order of joining. So
 * each way to cut a piece into two pieces becomes a pair, in the order of the joined pieces' scores.
 */
final class SentencePiece {
    private static final int NORMAL = 1;
    /** SentencePiece's own limit is 16; a longer piece can be no result of joining in a file that is not hostile. */
    private static final int MAX_LENGTH = 256;
    private static final char BLANK = '\u2581';

    private final List<String> tokens;
    private final float[] scores;
    private final Map<String, Integer> ids = new HashMap<>();

    SentencePiece(List<String> tokens, long[] types, float[] scores, Path file) {
        if (scores.length != tokens.size()) {
            throw new FileFormatException(file, scores.length + " token scores for " + tokens.size()
                    + " tokens");
        }
        this.tokens = tokens;
        this.scores = scores;
        for (int id = 0; id < tokens.size(); id++) {
            if (types[id] == NORMAL) {
                ids.put(tokens.get(id), id);
            }
        }
    }

    /** A pair of pieces that is joined. */
    record Pair(String left, String right) {
    }

    private record Ranked(int left, int right, float score) {
    }

    /** The pairs, those that are joined first in front. */
    List<Pair> merges() {
        List<Ranked> ranked = new ArrayList<>();
        ids.forEach((piece, id) -> addCuts(piece, scores[id], ranked));
        ranked.sort(Comparator.comparing(Ranked::score).reversed().thenComparing(Ranked::left)
                .thenComparing(Ranked::right));
        return ranked.stream().map(pair -> new Pair(tokens.get(pair.left), tokens.get(pair.right))).toList();
    }

    private void addCuts(String piece, float score, List<Ranked> ranked) {
        if (piece.length() > MAX_LENGTH) {
            return;
        }
        for (int cut = 1; cut < piece.length(); cut++) {
            Integer left = ids.get(piece.substring(0, cut));
            Integer right = left == null ? null : ids.get(piece.substring(cut));
            if (right != null) {
                ranked.add(new Ranked(left, right, score));
            }
        }
    }

    /** Blanks become visible signs, and one is put in front of a text. */
    static JsonNode normalizer(boolean addsBlank) {
        ArrayNode steps = JsonNodeFactory.instance.arrayNode();
        if (addsBlank) {
            steps.addObject().put("type", "Prepend").put("prepend", String.valueOf(BLANK));
        }
        replace(steps.addObject(), " ", String.valueOf(BLANK));
        return sequence("normalizers", steps);
    }

    /** The way back: bytes become characters, and the blank in front is dropped. */
    static JsonNode decoder(boolean dropsBlank) {
        ArrayNode steps = JsonNodeFactory.instance.arrayNode();
        replace(steps.addObject(), String.valueOf(BLANK), " ");
        steps.addObject().put("type", "ByteFallback");
        steps.addObject().put("type", "Fuse");
        if (dropsBlank) {
            steps.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
        }
        return sequence("decoders", steps);
    }

    private static void replace(ObjectNode step, String from, String to) {
        step.put("type", "Replace");
        step.putObject("pattern").put("String", from);
        step.put("content", to);
    }

    private static JsonNode sequence(String key, ArrayNode steps) {
        ObjectNode sequence = JsonNodeFactory.instance.objectNode().put("type", "Sequence");
        sequence.set(key, steps);
        return sequence;
    }
}
