package io.peft4j.benchmarks;

import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** Every id is a letter of the alphabet: enough to generate with random weights, where no text means anything. */
final class LetterTokenizer implements Tokenizer {
    private final int size;

    LetterTokenizer(int size) {
        this.size = size;
    }

    @Override
    public int[] encode(String text) {
        return text.chars().map(c -> Math.floorMod(c - 'a', size)).toArray();
    }

    @Override
    public int[] encodeWithSpecials(String text) {
        return encode(text);
    }

    @Override
    public Encoding encodeWithOffsets(String text) {
        int[] ids = encode(text);
        int[] start = new int[ids.length];
        int[] end = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            start[i] = i;
            end[i] = i + 1;
        }
        return new Encoding(ids, start, end);
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append((char) ('a' + id % 26));
        }
        return text.toString();
    }

    @Override
    public OptionalInt tokenToId(String token) {
        return token.length() == 1 ? OptionalInt.of(encode(token)[0]) : OptionalInt.empty();
    }

    @Override
    public Optional<String> idToToken(int id) {
        return Optional.of(decode(new int[] {id}, false));
    }

    @Override
    public int vocabSize() {
        return size;
    }

    @Override
    public boolean isSpecial(int id) {
        return false;
    }

    @Override
    public OptionalInt bosId() {
        return OptionalInt.empty();
    }

    @Override
    public OptionalInt eosId() {
        return OptionalInt.empty();
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
        throw new UnsupportedOperationException("random weights have no tokenizer to save");
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
