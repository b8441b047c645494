package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Refuses a {@code tokenizer.json} that Hugging Face's library would not survive. The library is written in Rust and
 * panics where a file breaks one of its silent assumptions, and a panic ends the process; so what its source
 * assumes is checked here, before it sees the file. What the library refuses with an error is left to it.
 */
final class TokenizerCheck {
    /** What a text takes in the library grows with it: about a gigabyte at this length. */
    private static final int LONGEST_TEXT = 1 << 22;
    private static final int MAX_DEPTH = 40;
    /** Its trie is freed by recursion, one call for each byte of the longest token. */
    private static final int LONGEST_PIECE = 1000;
    private static final int LONGEST_WORD = 100_000;

    private final Path origin;
    private final TokenizerParts parts;

    private TokenizerCheck(Path origin) {
        this.origin = origin;
        this.parts = new TokenizerParts();
    }

    /**
     * Checks the content of a tokenizer.json.
     *
     * @param origin where it came from, for messages
     * @param tokenizer its content
     * @return how many UTF-16 units a text may have that is given to the library
     * @throws FileFormatException when the library would not survive it
     */
    static int longestText(Path origin, ObjectNode tokenizer) {
        return new TokenizerCheck(origin).check(tokenizer);
    }

    private int check(ObjectNode tokenizer) {
        checkValues(tokenizer, 0);
        try {
            parts.check("normalizer", tokenizer.path("normalizer"));
            parts.check("pre_tokenizer", tokenizer.path("pre_tokenizer"));
            parts.check("post_processor", tokenizer.path("post_processor"));
            parts.check("decoder", tokenizer.path("decoder"));
        } catch (IllegalArgumentException e) {
            throw new FileFormatException(origin, e.getMessage(), e);
        }
        checkAddedTokens(tokenizer.path("added_tokens"), tokenizer.path("normalizer"));
        checkModel(tokenizer.path("model"));
        return Math.min(LONGEST_TEXT / parts.growth(), parts.longestText());
    }

    private void require(boolean condition, String problem) {
        if (!condition) {
            throw new FileFormatException(origin, problem);
        }
    }

    /** Neither deeper nor with larger numbers than the library's own reader takes: in some parts it panics at them. */
    private void checkValues(JsonNode node, int depth) {
        require(depth <= MAX_DEPTH, "is nested more than " + MAX_DEPTH + " levels deep");
        require(!node.isBigInteger() && !(node.isNumber() && Double.isInfinite(node.doubleValue())),
                "has a number that is too large: " + shortened(node));
        for (JsonNode child : node) {
            if (child.isContainerNode() || child.isNumber()) {
                checkValues(child, depth + 1);
            }
        }
    }

    private static String shortened(JsonNode node) {
        String text = node.asText();
        return text.length() <= 30 ? text : text.substring(0, 30) + "...";
    }

    /**
     * A token that takes the spaces before it along must not consist of spaces where another takes those behind it:
     * its place would end before it begins.
     */
    private void checkAddedTokens(JsonNode tokens, JsonNode normalizer) {
        boolean takesSpacesBehind = false;
        for (JsonNode token : tokens) {
            takesSpacesBehind |= token.path("rstrip").asBoolean();
        }
        boolean blankReplacement = parts.replacesByBlank();
        for (JsonNode token : tokens) {
            boolean blank = TokenizerParts.isBlank(token.path("content").asText())
                    || token.path("normalized").asBoolean() && !normalizer.isNull() && (blankReplacement
                            || token.path("content").asText().chars().noneMatch(c -> c > ' ' && c < 127));
            require(!blank || !takesSpacesBehind || !token.path("lstrip").asBoolean(), "the added token \""
                    + token.path("content").asText() + "\" consists of spaces and has lstrip, and there is one with"
                    + " rstrip; the tokenizer library crashes where both meet");
        }
    }

    private void checkModel(JsonNode model) {
        JsonNode vocabulary = model.path("vocab");
        if (vocabulary.isArray()) {
            for (JsonNode piece : vocabulary) {
                int bytes = piece.path(0).asText().getBytes(StandardCharsets.UTF_8).length;
                require(bytes <= LONGEST_PIECE, "has a token of " + bytes + " bytes; up to " + LONGEST_PIECE
                        + " are read in a vocabulary of this kind");
            }
        }
        require(model.path("max_input_chars_per_word").asLong(0) <= LONGEST_WORD,
                "model.max_input_chars_per_word is " + model.path("max_input_chars_per_word").asText() + "; up to "
                        + LONGEST_WORD + " are taken");
        checkMerges(model.path("merges"), model.path("continuing_subword_prefix").asText(""));
    }

    /** The second part of each merge is cut behind the prefix that marks the inside of a word. */
    private void checkMerges(JsonNode merges, String prefix) {
        if (prefix.isEmpty() || prefix.equals("null")) {
            return;
        }
        int cut = prefix.getBytes(StandardCharsets.UTF_8).length;
        for (JsonNode merge : merges) {
            String second = merge.isTextual() ? merge.textValue().substring(merge.textValue().lastIndexOf(' ') + 1)
                    : merge.path(1).asText();
            byte[] bytes = second.getBytes(StandardCharsets.UTF_8);
            require(bytes.length >= cut && (bytes.length == cut || (bytes[cut] & 0xC0) != 0x80), "the merge " + merge
                    + " has a second part that does not begin with model.continuing_subword_prefix \"" + prefix
                    + "\"");
        }
    }
}
