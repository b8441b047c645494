package io.peft4j.models.tokenizer;

import io.peft4j.core.text.ChatTemplate;
import io.peft4j.models.template.JinjaChatTemplate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The chat template of a checkpoint, with the special tokens that it may write. */
final class Templates {
    private static final List<String> SPECIAL_TOKENS = List.of("bos_token", "eos_token", "unk_token", "pad_token",
            "sep_token", "cls_token", "mask_token");

    private Templates() {
    }

    static Optional<ChatTemplate> of(TokenizerFiles files) {
        Map<String, String> variables = new LinkedHashMap<>();
        SPECIAL_TOKENS.forEach(key -> files.specialToken(key).ifPresent(token -> variables.put(key, token)));
        return files.chatTemplate().map(source -> JinjaChatTemplate.of(source, variables));
    }
}
