package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.text.Tokenizer.TokenBytes;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What tokens add to a text, by the vocabulary's spelling and the {@code decoder} of {@code tokenizer.json}: byte-level
 * tokens spell each byte as a character (GPT-2), SentencePiece's spell a space as U+2581 and a byte as {@code <0x0A>}.
 */
final class VocabularyBytes implements TokenBytes {
    private static final Pattern BYTE = Pattern.compile("<0x([0-9A-Fa-f]{2})>");
    private static final int[] BYTE_OF_CHARACTER = bytesOfCharacters();

    private final Vocabulary vocabulary;
    private final Set<Integer> literal;
    private final boolean byteLevel;
    private final boolean spellsSpaces;
    private final boolean dropsFirstSpace;

    private VocabularyBytes(Vocabulary vocabulary, Set<Integer> literal, List<JsonNode> decoders) {
        this.vocabulary = vocabulary;
        this.literal = literal;
        this.byteLevel = decoders.stream().anyMatch(d -> is(d, "ByteLevel"));
        this.spellsSpaces = !byteLevel;
        this.dropsFirstSpace = decoders.stream().anyMatch(d -> is(d, "Strip") && d.path("start").asInt() > 0
                || is(d, "Metaspace") && !"never".equals(d.path("prepend_scheme").asText("always"))
                        && d.path("add_prefix_space").asBoolean(true));
    }

    static VocabularyBytes of(TokenizerFiles files, Vocabulary vocabulary) {
        Set<Integer> literal = new HashSet<>();
        files.tokenizer().path("added_tokens").forEach(token -> literal.add(token.path("id").asInt()));
        List<JsonNode> decoders = new ArrayList<>();
        JsonNode decoder = files.tokenizer().path("decoder");
        if (is(decoder, "Sequence")) {
            decoder.path("decoders").forEach(decoders::add);
        } else {
            decoders.add(decoder);
        }
        return new VocabularyBytes(vocabulary, literal, decoders);
    }

    private static boolean is(JsonNode decoder, String type) {
        return type.equals(decoder.path("type").asText());
    }

    @Override
    public byte[] of(int id) {
        Optional<String> token = vocabulary.token(id);
        if (token.isEmpty()) {
            return new byte[0];
        }
        String spelling = token.get();
        if (literal.contains(id)) {
            return spelling.getBytes(StandardCharsets.UTF_8);
        }
        Matcher single = BYTE.matcher(spelling);
        if (spellsSpaces && single.matches()) {
            return new byte[] {(byte) Integer.parseInt(single.group(1), 16)};
        }
        return byteLevel ? byteLevel(spelling) : spelling.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean dropsFirstSpace() {
        return dropsFirstSpace;
    }

    private static byte[] byteLevel(String spelling) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(spelling.length());
        for (int i = 0; i < spelling.length(); i++) {
            char c = spelling.charAt(i);
            int value = c < BYTE_OF_CHARACTER.length ? BYTE_OF_CHARACTER[c] : -1;
            if (value < 0) {
                // A token that is no spelling of bytes stands for itself.
                return spelling.getBytes(StandardCharsets.UTF_8);
            }
            bytes.write(value);
        }
        return bytes.toByteArray();
    }

    /** GPT-2's table: printable characters of Latin-1 stand for themselves, other bytes for U+0100 and on in order. */
    private static int[] bytesOfCharacters() {
        int[] bytes = new int[512];
        java.util.Arrays.fill(bytes, -1);
        int next = 256;
        for (int value = 0; value < 256; value++) {
            boolean printable = value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE;
            bytes[printable ? value : next++] = value;
        }
        return bytes;
    }
}
