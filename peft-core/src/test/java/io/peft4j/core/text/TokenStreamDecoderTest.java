package io.peft4j.core.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Streams texts through a tokenizer whose tokens are single bytes, the hardest case for complete characters. */
class TokenStreamDecoderTest {
    private static final String TEXT = "Grüße, 漢字 🙂 é\u0301 👩‍👩‍👧 العربية end";

    @Test
    void piecesJoinedAreTheWholeText() {
        List<String> pieces = stream(TEXT.getBytes(StandardCharsets.UTF_8));
        assertEquals(TEXT, String.join("", pieces));
    }

    @Test
    void noPieceHoldsAPartOfACharacter() {
        for (String piece : stream(TEXT.getBytes(StandardCharsets.UTF_8))) {
            assertFalse(piece.contains("\uFFFD"), piece);
            assertFalse(!piece.isEmpty() && Character.isLowSurrogate(piece.charAt(0)), piece);
        }
    }

    @Test
    void aCharacterComesWithItsLastByte() {
        List<String> pieces = stream("a🙂b".getBytes(StandardCharsets.UTF_8));
        assertEquals(List.of("a", "", "", "", "🙂", "b", ""), pieces);
    }

    @Test
    void anIncompleteEndIsGivenWhenTheSequenceEnds() {
        byte[] bytes = "ok🙂".getBytes(StandardCharsets.UTF_8);
        List<String> pieces = stream(Arrays.copyOf(bytes, bytes.length - 1));
        assertEquals("ok\uFFFD", String.join("", pieces));
    }

    @Test
    void invalidBytesAreFlushed() {
        byte[] bytes = new byte[40];
        Arrays.fill(bytes, (byte) 0xFF);
        List<String> pieces = stream(bytes);
        assertEquals("\uFFFD".repeat(40), String.join("", pieces));
        assertFalse(String.join("", pieces.subList(0, 20)).isEmpty(), "nothing was given for 20 invalid bytes");
    }

    @Test
    void aDecoderMayBeUsedAgainAfterTheEnd() {
        TokenStreamDecoder decoder = new ByteTokenizer().streamDecoder(false);
        assertEquals("x", decoder.accept('x'));
        assertEquals("", decoder.finish());
        assertEquals("y", decoder.accept('y'));
    }

    @Test
    void skippedSpecialTokensGiveNothing() {
        TokenStreamDecoder decoder = new ByteTokenizer().streamDecoder(true);
        assertEquals("a", decoder.accept('a'));
        assertEquals("", decoder.accept(ByteTokenizer.SPECIAL));
        assertEquals("b", decoder.accept('b'));
    }

    private static List<String> stream(byte[] bytes) {
        TokenStreamDecoder decoder = new ByteTokenizer().streamDecoder(false);
        List<String> pieces = new ArrayList<>();
        for (byte b : bytes) {
            pieces.add(decoder.accept(b & 0xFF));
        }
        pieces.add(decoder.finish());
        return pieces;
    }

    /** One token a byte, and one special token. */
    private static final class ByteTokenizer implements Tokenizer {
        static final int SPECIAL = 256;

        @Override
        public int[] encode(String text) {
            return encodeWithOffsets(text).ids();
        }

        @Override
        public int[] encodeWithSpecials(String text) {
            return encode(text);
        }

        @Override
        public Encoding encodeWithOffsets(String text) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String decode(int[] ids, boolean skipSpecial) {
            byte[] bytes = new byte[ids.length];
            int n = 0;
            for (int id : ids) {
                if (id != SPECIAL) {
                    bytes[n++] = (byte) id;
                }
            }
            return new String(bytes, 0, n, StandardCharsets.UTF_8);
        }

        @Override
        public OptionalInt tokenToId(String token) {
            return OptionalInt.empty();
        }

        @Override
        public Optional<String> idToToken(int id) {
            return Optional.empty();
        }

        @Override
        public int vocabSize() {
            return SPECIAL + 1;
        }

        @Override
        public boolean isSpecial(int id) {
            return id == SPECIAL;
        }

        @Override
        public OptionalInt bosId() {
            return OptionalInt.empty();
        }

        @Override
        public OptionalInt eosId() {
            return OptionalInt.of(SPECIAL);
        }

        @Override
        public OptionalInt padId() {
            return OptionalInt.empty();
        }

        @Override
        public Optional<ChatTemplate> chatTemplate() {
            return Optional.empty();
        }

        @Override
        public void save(Path folder) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
            // Nothing native is held.
        }
    }
}
