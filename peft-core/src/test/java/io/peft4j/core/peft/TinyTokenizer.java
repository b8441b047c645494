package io.peft4j.core.peft;

import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** A tokenizer for models whose prompts are token ids: it can be saved, and nothing else. */
final class TinyTokenizer implements Tokenizer {
    @Override
    public int[] encode(String text) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int[] encodeWithSpecials(String text) {
        return Stream.of(text.split("\\D+")).filter(id -> !id.isEmpty())
                .mapToInt(id -> Integer.parseInt(id) % TinyNetwork.VOCABULARY).toArray();
    }

    @Override
    public Encoding encodeWithOffsets(String text) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        throw new UnsupportedOperationException();
    }

    @Override
    public OptionalInt tokenToId(String token) {
        return OptionalInt.empty();
    }

    @Override
    public Optional<String> idToToken(int id) {
        return Optional.of(String.valueOf(id));
    }

    @Override
    public int vocabSize() {
        return TinyNetwork.VOCABULARY;
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
        AtomicFiles.writeString(folder.resolve("tokenizer.json"), "{}");
    }

    @Override
    public void close() {
    }
}
