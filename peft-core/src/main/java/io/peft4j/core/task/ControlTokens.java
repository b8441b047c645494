package io.peft4j.core.task;

import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Keeps the control tokens that stand in a user's text apart from those that a prompt writes itself, as Transformers
 * does with {@code sanitize_control_tokens}: they are marked before the prompt is rendered, and become text afterwards.
 */
final class ControlTokens {
    private static final String START = new String(Character.toChars(0xF0000));
    private static final String END = new String(Character.toChars(0xF0001));
    private static final String MARK = "<|mark|>";
    private static final String SPLIT = "<|split|>";
    private static final String NEWLINE = "\n";

    private final Tokenizer tokenizer;
    private final boolean keepsApart;
    private final Pattern tokens;
    private final Pattern marked;

    ControlTokens(Tokenizer tokenizer, boolean keepsApart) {
        this.tokenizer = tokenizer;
        this.keepsApart = keepsApart;
        // The places in a prompt where a model is asked are marked in the same way as control tokens are.
        String any = Stream.concat(IntStream.range(0, tokenizer.vocabSize())
                .filter(tokenizer::isSpecial).mapToObj(id -> tokenizer.idToToken(id).orElseThrow()),
                Stream.of(MARK, SPLIT)).distinct()
                .sorted(Comparator.comparingInt(String::length).reversed()).map(Pattern::quote)
                .collect(Collectors.joining("|"));
        this.tokens = Pattern.compile(any);
        this.marked = Pattern.compile(START + "(" + any + ")" + END + "|[" + START + END + "]");
    }

    /** A value with all control tokens in its texts marked. */
    Object marked(Object value) {
        if (value instanceof String text) {
            return marked(text);
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((key, each) -> copy.put(key, marked(each)));
            return copy;
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(each -> copy.add(marked(each)));
            return copy;
        }
        return value;
    }

    /** A text with all control tokens marked. */
    String marked(String text) {
        String plain = text.replace(START, "").replace(END, "");
        return keepsApart ? tokens.matcher(plain).replaceAll(found -> Matcher.quoteReplacement(START + found.group()
                + END)) : plain.replace(MARK, "").replace(SPLIT, "");
    }

    /**
     * The ids of a prompt up to the place where it says itself that the model is asked, or of all of it; parts that it
     * separates are encoded apart.
     */
    int[] encodeToMark(String prompt) {
        String asked = prompt.split("(?<!" + START + ")" + Pattern.quote(MARK), 2)[0];
        return Stream.of(asked.split("(?<!" + START + ")" + Pattern.quote(SPLIT))).filter(part -> !part.isEmpty())
                .flatMapToInt(part -> IntStream.of(encode(part))).toArray();
    }

    /** The ids of a prompt that was rendered from marked texts. */
    private int[] encode(String prompt) {
        Matcher matcher = marked.matcher(prompt);
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        while (matcher.find()) {
            piece(prompt.substring(from, matcher.start()), from == 0, false).forEach(ids);
            piece(matcher.group(1) == null ? "" : matcher.group(1), false, true).forEach(ids);
            from = matcher.end();
        }
        piece(prompt.substring(from), from == 0, false).forEach(ids);
        return ids.build().toArray();
    }

    /** A piece behind the first is encoded behind a line break, so that no space is put before it. */
    private IntStream piece(String text, boolean first, boolean asText) {
        if (text.isEmpty()) {
            return IntStream.empty();
        }
        if (first) {
            return IntStream.of(tokenizer.encode(text));
        }
        int[] before = tokenizer.encode(NEWLINE);
        int[] ids = asText ? tokenizer.encodeAsText(NEWLINE + text) : tokenizer.encode(NEWLINE + text);
        boolean apart = ids.length > before.length
                && Arrays.equals(before, Arrays.copyOf(ids, before.length));
        return apart ? IntStream.of(ids).skip(before.length)
                : IntStream.of(asText ? tokenizer.encodeAsText(text) : tokenizer.encode(text));
    }
}
