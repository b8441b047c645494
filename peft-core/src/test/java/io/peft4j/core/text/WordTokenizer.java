package io.peft4j.core.text;

import io.peft4j.core.io.AtomicFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A tokenizer for tests: a word with the space before it is a token, so is a run of line breaks, and so is any other
 * character; one outside the basic plane is two tokens, as with byte-level tokenizers. Ids are given in the order in
 * which tokens are first seen. Like SmolLM2's it has an end-of-turn token that is the end-of-sequence and the padding
 * token, too.
 */
public class WordTokenizer implements Tokenizer {
    /** {@code <|endoftext|>}. */
    public static final int END_OF_TEXT = 0;
    /** {@code <|im_start|>}. */
    public static final int START = 1;
    /** {@code <|im_end|>}: ends a turn, ends a sequence, pads. */
    public static final int END = 2;
    private static final Pattern TOKEN = Pattern.compile(
            "<\\|endoftext\\|>|<\\|im_start\\|>|<\\|im_end\\|>| ?\\p{L}+| ?\\d|\\n+|.", Pattern.DOTALL);

    private final List<String> tokens = new ArrayList<>(List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
    private final Map<String, Integer> ids = new HashMap<>();
    private final int vocabSize;

    /** A tokenizer that can give {@code vocabSize} ids. */
    public WordTokenizer(int vocabSize) {
        this.vocabSize = vocabSize;
        tokens.forEach(token -> ids.put(token, ids.size()));
    }

    @Override
    public int[] encode(String text) {
        return encodeWithOffsets(text).ids();
    }

    @Override
    public int[] encodeWithSpecials(String text) {
        return encode(text);
    }

    @Override
    public synchronized Encoding encodeWithOffsets(String text) {
        List<int[]> found = new ArrayList<>();
        for (Matcher matcher = TOKEN.matcher(text); matcher.find();) {
            String token = matcher.group();
            found.add(new int[] {id(token), matcher.start(), matcher.end()});
            if (Character.isSupplementaryCodePoint(token.codePointAt(0))) {
                found.add(new int[] {id("<second half of " + token + ">"), matcher.start(), matcher.end()});
            }
        }
        return new Encoding(column(found, 0), column(found, 1), column(found, 2));
    }

    private static int[] column(List<int[]> rows, int column) {
        return rows.stream().flatMapToInt(row -> IntStream.of(row[column])).toArray();
    }

    private int id(String token) {
        return ids.computeIfAbsent(token, t -> {
            if (tokens.size() == vocabSize) {
                throw new IllegalStateException("the test uses more than " + vocabSize + " different tokens");
            }
            tokens.add(t);
            return tokens.size() - 1;
        });
    }

    @Override
    public synchronized String decode(int[] sequence, boolean skipSpecial) {
        StringBuilder text = new StringBuilder();
        for (int id : sequence) {
            boolean half = tokens.get(id).startsWith("<second half of ");
            text.append(half || skipSpecial && isSpecial(id) ? "" : tokens.get(id));
        }
        return text.toString();
    }

    @Override
    public synchronized OptionalInt tokenToId(String token) {
        return ids.containsKey(token) ? OptionalInt.of(ids.get(token)) : OptionalInt.empty();
    }

    @Override
    public synchronized Optional<String> idToToken(int id) {
        return id < tokens.size() ? Optional.of(tokens.get(id)) : Optional.empty();
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    @Override
    public boolean isSpecial(int id) {
        return id <= END;
    }

    @Override
    public OptionalInt bosId() {
        return OptionalInt.of(START);
    }

    @Override
    public OptionalInt eosId() {
        return OptionalInt.of(END);
    }

    @Override
    public OptionalInt padId() {
        return OptionalInt.of(END);
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return Optional.of(TestChatTemplate.chatMl());
    }

    @Override
    public void save(Path folder) {
        AtomicFiles.writeString(folder.resolve("tokenizer.json"), "{}\n");
    }

    @Override
    public void close() {
        // Holds no native memory.
    }
}
