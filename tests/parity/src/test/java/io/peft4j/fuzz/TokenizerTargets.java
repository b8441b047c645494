package io.peft4j.fuzz;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Tokenizers and chat templates. */
final class TokenizerTargets {
    private static final Path TINY = Seeds.MODELS.resolve("tiny-llama");
    private static final List<String> NORMALIZERS = List.of("null",
            "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,"
                    + "\"lowercase\":true}",
            "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}", "{\"type\":\"StripAccents\"}",
            "{\"type\":\"NFC\"}", "{\"type\":\"NFD\"}", "{\"type\":\"NFKC\"}", "{\"type\":\"NFKD\"}",
            "{\"type\":\"Lowercase\"}", "{\"type\":\"Nmt\"}", "{\"type\":\"ByteLevel\"}",
            "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\u2581\"}",
            "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}",
            "{\"type\":\"Prepend\",\"prepend\":\"\u2581\"}",
            "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" + Seeds.charsMap() + "\"}");
    private static final List<String> PRE_TOKENIZERS = List.of("null",
            "{\"type\":\"BertPreTokenizer\"}", "{\"type\":\"Whitespace\"}", "{\"type\":\"WhitespaceSplit\"}",
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}",
            "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"a\"}", "{\"type\":\"UnicodeScripts\"}",
            "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"first\",\"split\":true}",
            "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"add_prefix_space\":true}",
            "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\p{L}+\"},"
                    + "\"behavior\":\"Isolated\",\"invert\":false}",
            "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?=(\\\\d{3})+(?!\\\\d))\"},"
                    + "\"behavior\":\"MergedWithPrevious\",\"invert\":true}",
            "{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"MergedWithNext\",\"invert\":false}",
            "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}",
            "{\"type\":\"Digits\",\"individual_digits\":true}", "{\"type\":\"FixedLength\",\"length\":3}");
    private static final List<String> POST_PROCESSORS = List.of("null",
            "{\"type\":\"RobertaProcessing\",\"sep\":[\"b\",2],\"cls\":[\"a\",1],\"trim_offsets\":true,"
                    + "\"add_prefix_space\":false}",
            "{\"type\":\"BertProcessing\",\"sep\":[\"b\",2],\"cls\":[\"a\",1]}",
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}",
            "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\",\"type_id\":0}},"
                    + "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"Sequence\":{\"id\":\"A\","
                    + "\"type_id\":0}},{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":"
                    + "{\"a\":{\"id\":\"a\",\"ids\":[1],\"tokens\":[\"a\"]}}}");
    private static final List<String> DECODERS = List.of("null", "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}",
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}",
            "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}", "{\"type\":\"Fuse\"}",
            "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\",\"split\":true}",
            "{\"type\":\"CTC\",\"pad_token\":\"a\",\"word_delimiter_token\":\"|\",\"cleanup\":true}",
            "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\u2581\"},\"content\":\" \"}",
            "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}", "{\"type\":\"ByteFallback\"}");
    private static final List<String> MODELS = List.of(
            "{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":null,"
                    + "\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":true,\"ignore_merges\":false,"
                    + "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3,\" \":4,\"\u2581\":5,\"\u2581a\":6,\"<0x0A>\":7,"
                    + "\"\u0120\":8,\"c\":9},\"merges\":[\"a b\",[\"\u2581\",\"a\"]]}",
            "{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":\"##\",\"end_of_word_suffix\":"
                    + "\"</w>\",\"vocab\":{\"<unk>\":0,\"a\":1,\"##b\":2,\"ab\":3,\"b\":4},\"merges\":[[\"a\",\"##b\"]]"
                    + "}",
            "{\"type\":\"WordPiece\",\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":\"##\","
                    + "\"max_input_chars_per_word\":100,\"vocab\":{\"<unk>\":0,\"a\":1,\"##b\":2,\"b\":3}}",
            "{\"type\":\"WordLevel\",\"unk_token\":\"<unk>\",\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2}}",
            "{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":false,\"vocab\":[[\"<unk>\",0.0],[\"a\",-1.5],"
                    + "[\"b\",-2.0],[\"\u2581\",-3.0],[\"ab\",-1.0],[\"\u2581ab\",-1.2]]}");
    private static final List<String> ADDED = List.of("[]",
            "[{\"id\":11,\"content\":\"<m>\",\"single_word\":false,\"lstrip\":true,\"rstrip\":true,"
                    + "\"normalized\":false,\"special\":true},{\"id\":12,\"content\":\"Day\",\"single_word\":true,"
                    + "\"lstrip\":false,\"rstrip\":false,\"normalized\":true,\"special\":false}]",
            "[{\"id\":1,\"content\":\"a\",\"single_word\":false,\"lstrip\":true,\"rstrip\":false,"
                    + "\"normalized\":true,\"special\":false},{\"id\":12,\"content\":\"  \",\"single_word\":false,"
                    + "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":false}]");
    private static final List<String> TEXTS = List.of("", " ", "a", "ab ab  abc", "\0", "a\0b", "\ud800x\udc00",
            "  <m>  <m> Day a", "\r\n\r\n  \n", "e\u0301\u0301 \u0130 \ufdfa\ufb01", "\ud83d\udc69\u200d\ud83d\udc67",
            "\u4f60\u597d a \u3042", "1234567 12", "a".repeat(3000), " ".repeat(3000), "\u2581a\u2581", "\uFEFF\u200b");

    private TokenizerTargets() {
    }

    static List<FuzzTarget> all() {
        return List.of(new FuzzTarget("tokenizer.json of parts", 6, TokenizerTargets::makeOfParts,
                TokenizerTargets::readTokenizer),
                new FuzzTarget("tokenizer.json", 2, (damage, folder) -> {
                    Files.write(folder.resolve("tokenizer.json"),
                            damage.text(Seeds.bytes(TINY.resolve("tokenizer.json"))));
                    Seeds.copy(TINY, folder, "tokenizer_config.json");
                }, TokenizerTargets::readTokenizer),
                new FuzzTarget("tokenizer_config.json", 1, (damage, folder) -> {
                    Files.write(folder.resolve("tokenizer_config.json"),
                            damage.text(Seeds.bytes(TINY.resolve("tokenizer_config.json"))));
                    Seeds.copy(TINY, folder, "tokenizer.json");
                }, TokenizerTargets::readTokenizer),
                new FuzzTarget("chat template", 2, (damage, folder) -> {
                    Seeds.copy(TINY, folder, "tokenizer.json", "tokenizer_config.json");
                    Files.write(folder.resolve("chat_template.jinja"), damage.text(damage.one(Seeds.templates())));
                }, TokenizerTargets::readTokenizer));
    }

    private static void makeOfParts(Damage damage, Path folder) throws IOException {
        String json = "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":" + damage.one(ADDED)
                + ",\"normalizer\":" + steps(damage, "normalizers", NORMALIZERS)
                + ",\"pre_tokenizer\":" + steps(damage, "pretokenizers", PRE_TOKENIZERS)
                + ",\"post_processor\":" + steps(damage, "processors", POST_PROCESSORS)
                + ",\"decoder\":" + steps(damage, "decoders", DECODERS) + ",\"model\":" + damage.one(MODELS) + "}";
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        Files.write(folder.resolve("tokenizer.json"), damage.json(bytes, damage.below(4)));
    }

    private static String steps(Damage damage, String name, List<String> steps) {
        int count = damage.below(4);
        if (count < 2) {
            return damage.one(steps);
        }
        List<String> some = java.util.stream.Stream.generate(() -> damage.one(steps))
                .filter(step -> !step.equals("null")).limit(count).toList();
        return "{\"type\":\"Sequence\",\"" + name + "\":[" + String.join(",", some) + "]}";
    }

    private static void readTokenizer(Damage damage, Path folder) {
        try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
            StringBuilder random = new StringBuilder();
            damage.below(1);
            for (int i = damage.below(30); i > 0; i--) {
                random.appendCodePoint(damage.below(damage.below(2) == 0 ? 0x300 : 0x20000));
            }
            Reports reports = new Reports();
            for (String text : TEXTS) {
                reports.run(() -> tokenizer.encodeWithOffsets(text));
            }
            reports.run(() -> tokenizer.encodeWithSpecials(random.toString()));
            reports.run(() -> tokenizer.encodeWithSpecials("ab a <m> Day"));
            int[] ids = new int[damage.below(20)];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = damage.below(tokenizer.vocabSize());
            }
            reports.run(() -> tokenizer.decode(ids, damage.below(2) == 0));
            tokenizer.chatTemplate().ifPresent(template -> reports.run(() -> render(template)));
            reports.done();
        }
    }

    private static void render(ChatTemplate template) {
        List<ChatMessage> messages = List.of(ChatMessage.system("Be {{ brief }}."), ChatMessage.user("Why?"),
                ChatMessage.assistant("Because."), ChatMessage.user("And?"));
        template.render(messages, true);
        template.render(messages, false, List.of(Map.of("name", "f", "parameters", Map.of("x", 1))), Map.of());
    }
}
