package io.peft4j.models.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.peft4j.core.array.NativeLibraries;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.text.Tokenizer.PairEncoding;
import io.peft4j.core.text.Tokenizer.TokenBytes;
import io.peft4j.core.text.Tokenizer.WordEncoding;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;

/**
 * A tokenizer that runs Hugging Face's own library ({@code tokenizers}, through DJL's binding), so that ids equal
 * Python's. Nothing is truncated or padded.
 */
final class FastTokenizer implements Tokenizer {
    private static final String OFFLINE = "ai.djl.offline";
    private static final TokenizersLibrary LIB = TokenizersLibrary.LIB;
    /** Characters that all threads encode at a time, which take some 100 MB; a longer text has its turn alone. */
    private static final int MOST_AT_ONCE = 1 << 18;

    private final Path origin;
    private final int longestText;
    private final TokenizerFolder.TokenizerTexts texts;
    private final Vocabulary vocabulary;
    private final TokenBytes bytes;
    private final OptionalInt bosId;
    private final OptionalInt eosId;
    private final OptionalInt padId;
    private final Optional<ChatTemplate> template;
    private final HuggingFaceTokenizer library;
    private final Function<String, ChatTemplate> templates;
    /** Without special tokens, made when a text first holds one. */
    private Optional<HuggingFaceTokenizer> plain = Optional.empty();
    private final Semaphore characters = new Semaphore(MOST_AT_ONCE, true);
    /** Many threads may use the library at once, but none while it is being freed: that would crash the JVM. */
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    FastTokenizer(TokenizerFiles files, Optional<ChatTemplate> template, Function<String, ChatTemplate> templates) {
        this.template = template;
        this.templates = templates;
        this.vocabulary = new Vocabulary(files);
        this.bytes = VocabularyBytes.of(files, vocabulary);
        this.bosId = specialId(files, "bos_token");
        this.eosId = specialId(files, "eos_token");
        this.padId = specialId(files, "pad_token");
        files.tokenizer().putNull("truncation");
        files.tokenizer().putNull("padding");
        this.origin = files.origin();
        this.longestText = TokenizerCheck.longestText(origin, files.tokenizer());
        this.texts = TokenizerFolder.TokenizerTexts.of(files);
        this.library = open(origin, texts.tokenizer());
    }

    private OptionalInt specialId(TokenizerFiles files, String key) {
        return files.specialToken(key).map(vocabulary::id).orElse(OptionalInt.empty());
    }

    private static HuggingFaceTokenizer open(Path origin, byte[] json) {
        // DJL reports its use to its makers unless this is switched off; a library must not do that for its user.
        if (System.getProperty(OFFLINE) == null) {
            System.setProperty(OFFLINE, "true");
        }
        try {
            NativeLibraries.open(LibUtils::checkStatus);
            return HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json),
                    Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true"));
        } catch (IOException | RuntimeException e) {
            throw new FileFormatException(origin, "cannot be loaded as a tokenizer: " + e.getMessage(), e);
        }
    }

    @Override
    public int[] encode(String text) {
        return encode(text, false, FastTokenizer::ids);
    }

    @Override
    public int[] encodeAsText(String text) {
        if (vocabulary.specials().stream().noneMatch(text::contains)) {
            return encode(text);
        }
        return encode(text.length(), whole -> LIB.encode(plain().getHandle(), wellFormed(text), false),
                FastTokenizer::ids);
    }

    private synchronized HuggingFaceTokenizer plain() {
        if (plain.isEmpty()) {
            plain = Optional.of(open(origin, texts.withoutSpecials()));
        }
        return plain.get();
    }

    @Override
    public int[] encodeWithSpecials(String text) {
        return encode(text, true, FastTokenizer::ids);
    }

    @Override
    public Encoding encodeWithOffsets(String text) {
        return encode(text, false, encoding -> withOffsets(text, encoding));
    }

    private static Encoding withOffsets(String text, long encoding) {
        int[] ids = ids(encoding);
        CharSpan[] spans = LIB.getTokenCharSpans(encoding);
        int[] utf16 = utf16Offsets(text);
        int[] start = new int[ids.length];
        int[] end = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            // A token without a span stands for no text; it gets the place where the one before it ends.
            start[i] = spans[i] == null ? i == 0 ? 0 : end[i - 1] : utf16[spans[i].getStart()];
            end[i] = spans[i] == null ? start[i] : utf16[spans[i].getEnd()];
        }
        return new Encoding(ids, start, end);
    }

    @Override
    public PairEncoding encodePair(String first, String second) {
        return encode((long) first.length() + second.length(),
                handle -> LIB.encodeDual(handle, wellFormed(first), wellFormed(second), true),
                encoding -> new PairEncoding(ids(encoding), ints(LIB.getTypeIds(encoding))));
    }

    @Override
    public WordEncoding encodeWords(List<String> words) {
        long length = words.stream().mapToLong(String::length).sum();
        String[] each = words.stream().map(FastTokenizer::wellFormed).toArray(String[]::new);
        return each.length == 0 ? new WordEncoding(new int[0], new int[0])
                : encode(length, handle -> LIB.encodeList(handle, each, false),
                        encoding -> new WordEncoding(ids(encoding), ints(LIB.getWordIds(encoding))));
    }

    private <T> T encode(String text, boolean specials, LongFunction<T> read) {
        return encode(text.length(), handle -> LIB.encode(handle, wellFormed(text), specials), read);
    }

    private void requireShort(long length) {
        if (length > longestText) {
            throw new FileFormatException(origin, "supports texts of up to " + longestText + " characters, and this one"
                    + " has " + length + "; split the text");
        }
    }

    /** Asks the library for what is needed; DJL's own encode fetches eight arrays, with a text for each token. */
    private <T> T encode(long length, LongUnaryOperator encode, LongFunction<T> read) {
        requireShort(length);
        int taken = (int) Math.min(length, MOST_AT_ONCE);
        characters.acquireUninterruptibly(taken);
        try {
            return use(library -> {
                long encoding = encode.applyAsLong(library.getHandle());
                try {
                    return read.apply(encoding);
                } finally {
                    LIB.deleteEncoding(encoding);
                }
            });
        } finally {
            characters.release(taken);
        }
    }

    /**
     * The text with U+FFFD in the place of each half of a surrogate pair that is alone: it is not a character, and
     * the library takes UTF-8, which cannot hold it. The length stays the same.
     */
    private static String wellFormed(String text) {
        if (text.codePoints().noneMatch(FastTokenizer::isLoneSurrogate)) {
            return text;
        }
        StringBuilder repaired = new StringBuilder(text.length());
        text.codePoints().forEach(c -> repaired.appendCodePoint(isLoneSurrogate(c) ? '\uFFFD' : c));
        return repaired.toString();
    }

    private static boolean isLoneSurrogate(int codePoint) {
        return Character.getType(codePoint) == Character.SURROGATE;
    }

    /** For each code point the index of its first UTF-16 unit, and at last the length of the text. */
    private static int[] utf16Offsets(String text) {
        int[] offsets = new int[text.codePointCount(0, text.length()) + 1];
        int at = 0;
        for (int i = 0; i < offsets.length - 1; i++) {
            offsets[i] = at;
            at += Character.charCount(text.codePointAt(at));
        }
        offsets[offsets.length - 1] = at;
        return offsets;
    }

    private static int[] ids(long encoding) {
        return ints(LIB.getTokenIds(encoding));
    }

    private static int[] ints(long[] values) {
        return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        for (int id : ids) {
            vocabulary.check(id);
        }
        long[] longs = Arrays.stream(ids).asLongStream().toArray();
        return use(library -> ids.length == 0 ? "" : library.decode(longs, skipSpecial));
    }

    @Override
    public OptionalInt tokenToId(String token) {
        return vocabulary.id(token);
    }

    @Override
    public Optional<String> idToToken(int id) {
        return vocabulary.token(id);
    }

    @Override
    public int vocabSize() {
        return vocabulary.size();
    }

    @Override
    public boolean isSpecial(int id) {
        return vocabulary.isSpecial(id);
    }

    @Override
    public OptionalInt bosId() {
        return bosId;
    }

    @Override
    public OptionalInt eosId() {
        return eosId;
    }

    @Override
    public OptionalInt padId() {
        return padId;
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return template;
    }

    @Override
    public ChatTemplate template(String source) {
        return templates.apply(source);
    }

    @Override
    public TokenBytes tokenBytes() {
        return bytes;
    }

    @Override
    public void save(Path folder) {
        TokenizerFolder.write(folder, texts);
    }

    private <T> T use(Function<HuggingFaceTokenizer, T> function) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new ClosedException("the tokenizer");
            }
            return call(function);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The library's errors are bare RuntimeExceptions: a text with a character for which there is no token, say. */
    private <T> T call(Function<HuggingFaceTokenizer, T> function) {
        try {
            return function.apply(library);
        } catch (RuntimeException e) {
            throw new FileFormatException(origin, "cannot be used on this text: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                library.close();
                plain.ifPresent(HuggingFaceTokenizer::close);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public String toString() {
        return "tokenizer of " + origin;
    }
}
