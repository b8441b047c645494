package io.peft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.SimilarNames;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Checks the steps of a tokenizer: those that are known, with the fields that they have. */
final class TokenizerParts {
    /** For each step the fields in which the library trusts the file, and what may stand in them. */
    private static final Map<String, Map<String, String>> KNOWN = Map.of(
            "normalizer", Map.ofEntries(
                    Map.entry("BertNormalizer", ""), Map.entry("Strip", ""), Map.entry("StripAccents", ""),
                    Map.entry("NFC", ""), Map.entry("NFD", ""), Map.entry("NFKC", ""), Map.entry("NFKD", ""),
                    Map.entry("Lowercase", ""), Map.entry("Nmt", ""), Map.entry("ByteLevel", ""),
                    Map.entry("Sequence", "normalizers:steps"), Map.entry("Precompiled", "precompiled_charsmap:table"),
                    Map.entry("Replace", "pattern:found content:inserted"), Map.entry("Prepend", "prepend:inserted")),
            "pre_tokenizer", Map.ofEntries(
                    Map.entry("BertPreTokenizer", ""), Map.entry("ByteLevel", ""), Map.entry("CharDelimiterSplit", ""),
                    Map.entry("Delimiter", ""), Map.entry("Metaspace", ""), Map.entry("Whitespace", ""),
                    Map.entry("Sequence", "pretokenizers:steps"), Map.entry("Split", "pattern:cut"),
                    Map.entry("Punctuation", ""), Map.entry("WhitespaceSplit", ""), Map.entry("Digits", ""),
                    Map.entry("UnicodeScripts", ""), Map.entry("FixedLength", "length:size")),
            "post_processor", Map.of(
                    "RobertaProcessing", "sep:token cls:token trim_offsets:any add_prefix_space:any",
                    "BertProcessing", "sep:token cls:token",
                    "ByteLevel", "add_prefix_space:any trim_offsets:any use_regex:any",
                    "TemplateProcessing", "single:template pair:template special_tokens:tokens",
                    "Sequence", "processors:steps"),
            "decoder", Map.of(
                    "BPEDecoder", "", "ByteLevel", "", "WordPiece", "", "Metaspace", "", "CTC", "",
                    "Sequence", "decoders:steps", "Replace", "pattern:cut content:inserted", "Fuse", "",
                    "Strip", "stop:zero", "ByteFallback", ""));
    /** Steps whose result can be a few times as long as the text: one character can become up to 18. */
    private static final Set<String> GROWING = Set.of("BertNormalizer", "NFD", "NFKC", "NFKD", "Precompiled");
    private static final int GROWTH = 4;
    private static final int MOST_GROWTH = 64;
    private static final Set<String> ADDING = Set.of("RobertaProcessing", "BertProcessing", "TemplateProcessing");

    private int growth = 1;
    private int longestText = Integer.MAX_VALUE;
    private boolean replacesByBlank;
    private int adding;

    /** How many times longer than the text what the normalizer makes of it may be. */
    int growth() {
        return growth;
    }

    /** How many characters a text may have so that no regular expression gives up on it. */
    int longestText() {
        return longestText;
    }

    /** Whether a normalizer replaces something by spaces or by nothing. */
    boolean replacesByBlank() {
        return replacesByBlank;
    }

    /** Whether a text consists of what the library takes for spaces. */
    static boolean isBlank(String text) {
        return text.codePoints().allMatch(c -> Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85);
    }

    /**
     * Checks the steps of one section.
     *
     * @param section the key in tokenizer.json
     * @param step the section or a step in it; nothing is checked if there is none
     * @throws IllegalArgumentException with what the library would not survive
     */
    void check(String section, JsonNode step) {
        if (step.isMissingNode() || step.isNull()) {
            return;
        }
        String type = step.path("type").asText();
        Map<String, String> known = KNOWN.get(section);
        require(known.containsKey(type), section + " has a step of the type \"" + type + "\"; "
                + SimilarNames.sentence(type, known.keySet()));
        Set<String> names = new HashSet<>(Set.of("type"));
        for (String field : known.get(type).isEmpty() ? new String[0] : known.get(type).split(" ")) {
            String name = field.substring(0, field.indexOf(':'));
            names.add(name);
            try {
                checkField(field.substring(name.length() + 1), section, step, step.path(name));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(section + ": " + name + " of " + type + " " + e.getMessage(), e);
            }
        }
        // The library tells post-processors apart by their fields, whatever their type says.
        step.fieldNames().forEachRemaining(name -> require(names.contains(name) || !section.equals("post_processor"),
                "post_processor: " + type + " has no field \"" + name + "\""));
        grow(GROWING.contains(type) ? GROWTH : 1);
        adding += ADDING.contains(type) ? 1 : 0;
        require(adding <= 1, "post_processor has more than one step that adds tokens");
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new IllegalArgumentException(problem);
        }
    }

    private void grow(int factor) {
        growth = (int) Math.min(Integer.MAX_VALUE, (long) growth * factor);
        require(growth <= MOST_GROWTH, "can make a text " + growth + " times as long; the limit is " + MOST_GROWTH);
    }

    private void checkField(String kind, String section, JsonNode step, JsonNode value) {
        switch (kind) {
            case "steps" -> value.forEach(inner -> check(section, inner));
            case "table" -> CharsMap.check(value.asText());
            case "found", "cut" -> checkPattern(value, kind.equals("cut"));
            case "inserted" -> checkInserted(section, step, value.asText());
            case "size" -> require(value.isMissingNode() || value.isInt() && value.intValue() > 0,
                    "is " + value + "; expected a whole number of at least 1");
            case "zero" -> require(value.isInt() && value.intValue() == 0,
                    "is " + value + "; only 0 is supported, since the tokenizer library crashes at shorter tokens");
            case "token" -> require(value.size() == 2 && isId(value.path(1)), "is not a token with its id");
            case "template" -> checkTemplate(value, step);
            case "tokens" -> value.forEach(TokenizerParts::checkToken);
            default -> {
            }
        }
    }

    private static boolean isId(JsonNode node) {
        return node.canConvertToInt() && node.isIntegralNumber() && node.intValue() >= 0;
    }

    private void checkPattern(JsonNode pattern, boolean mayMatchNothing) {
        JsonNode regex = pattern.path("Regex");
        if (!regex.isTextual()) {
            require(!pattern.path("String").asText().isEmpty(), "is empty");
            return;
        }
        try {
            require(mayMatchNothing || !RegexCost.matchesNothing(regex.textValue()), "can match the empty text, "
                    + "at which the tokenizer library crashes");
            longestText = Math.min(longestText, RegexCost.of(regex.textValue()).longestText());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("is the regular expression " + regex + ", which is refused, "
                    + "since the tokenizer library crashes when a match takes too long: " + e.getMessage(), e);
        }
    }

    private void checkInserted(String section, JsonNode step, String text) {
        if (step.path("type").asText().equals("Prepend")) {
            require(!text.isEmpty(), "is empty, at which the tokenizer library crashes");
        }
        replacesByBlank |= section.equals("normalizer") && isBlank(text);
        grow(Math.max(1, text.codePointCount(0, text.length())));
    }

    /** In a single text only the sequence A exists; it is there once, and all tokens around it are described. */
    private static void checkTemplate(JsonNode template, JsonNode step) {
        int sequences = 0;
        boolean single = template == step.path("single");
        for (JsonNode piece : template) {
            String id = piece.path("Sequence").path("id").asText();
            require(!single || !id.equals("B"), "has the sequence B, which a single text does not have");
            sequences += id.equals("A") ? 1 : 0;
            String token = piece.path("SpecialToken").path("id").asText();
            require(piece.has("Sequence") || step.path("special_tokens").has(token),
                    "has the token \"" + token + "\", which special_tokens does not describe");
        }
        require(!single || sequences == 1, "has the sequence A " + sequences + " times; expected once");
    }

    private static void checkToken(JsonNode token) {
        require(token.path("ids").size() == token.path("tokens").size(), "has a token with " + token.path("ids").size()
                + " ids for " + token.path("tokens").size() + " texts");
        token.path("ids").forEach(id -> require(isId(id), "has the id " + id));
    }

    /**
     * Checks the table of a {@code Precompiled} normalizer: the number of bytes of a trie, the trie as a double array
     * of 32-bit units, and the texts that replace what it finds, each ended by a zero. Hugging Face's library follows
     * the trie without looking where it leads.
     */
    private static final class CharsMap {
        private static final int LONGEST_REPLACEMENT = 100;

        private final int[] units;
        private final byte[] texts;

        private CharsMap(ByteBuffer bytes) {
            long size = bytes.remaining() < Integer.BYTES ? 0 : Integer.toUnsignedLong(bytes.getInt());
            if (size < Integer.BYTES || size / Integer.BYTES * Integer.BYTES > bytes.remaining()) {
                throw new IllegalArgumentException("has a trie of " + size + " bytes with " + bytes.remaining()
                        + " bytes behind its head");
            }
            units = new int[(int) (size / Integer.BYTES)];
            for (int i = 0; i < units.length; i++) {
                units[i] = bytes.getInt();
            }
            texts = new byte[bytes.remaining()];
            bytes.get(texts);
        }

        /**
         * Checks a table.
         *
         * @param base64 the table as {@code tokenizer.json} has it
         * @throws IllegalArgumentException with what is wrong
         */
        static void check(String base64) {
            byte[] bytes = Base64.getDecoder().decode(base64);
            CharsMap map = new CharsMap(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
            try {
                StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(map.texts));
            } catch (CharacterCodingException e) {
                throw new IllegalArgumentException("has replacements that are not UTF-8", e);
            }
            map.walk();
        }

        /** Follows every path that a text can take. */
        private void walk() {
            BitSet seen = new BitSet();
            Deque<Integer> open = new ArrayDeque<>();
            open.push(checked(offset(units[0])));
            while (!open.isEmpty()) {
                int base = open.pop();
                for (int label = 1; label <= 0xFF && !seen.get(base); label++) {
                    int unit = units[base ^ label];
                    if ((unit & 0x800000FF) == label) {
                        int next = checked(base ^ label ^ offset(unit));
                        if ((unit >> 8 & 1) == 1) {
                            checkText(units[next] & Integer.MAX_VALUE);
                        }
                        open.push(next);
                    }
                }
                seen.set(base);
            }
        }

        private static long offset(int unit) {
            return Integer.toUnsignedLong(unit) >> 10 << ((unit & 1 << 9) >> 6);
        }

        /** A place from which each of 256 labels leads to a unit. */
        private int checked(long base) {
            if ((base | 0xFF) >= units.length) {
                throw new IllegalArgumentException("has a trie that leads out of itself");
            }
            return (int) base;
        }

        private void checkText(int begin) {
            if (begin > texts.length || begin < texts.length && (texts[begin] & 0xC0) == 0x80) {
                throw new IllegalArgumentException("has a replacement that begins at byte " + begin + " of "
                        + texts.length + " bytes of replacements");
            }
            int end = begin;
            while (end < texts.length && texts[end] != 0) {
                end++;
            }
            if (end - begin > LONGEST_REPLACEMENT) {
                throw new IllegalArgumentException("replaces a character by " + (end - begin) + " bytes; up to "
                        + LONGEST_REPLACEMENT + " are read");
            }
        }
    }
}
