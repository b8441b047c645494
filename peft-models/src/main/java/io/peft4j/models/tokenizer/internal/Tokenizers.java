package io.peft4j.models.tokenizer.internal;

import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Loads tokenizers. */
public final class Tokenizers {
    private Tokenizers() {
    }

    /**
     * The tokenizer of a Hugging Face folder: {@code tokenizer.json}, with special tokens and chat template from
     * {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code chat_template.jinja} where they exist.
     *
     * @throws io.peft4j.core.error.FileFormatException when a file is missing or wrong
     * @throws java.io.UncheckedIOException when a file cannot be read
     */
    public static Tokenizer fromFolder(Path folder) {
        return fromFolder(folder, List.of(), Optional.empty());
    }

    /**
     * As {@link #fromFolder(Path)}.
     *
     * @param newTokens texts that become one token each where they are none yet
     * @param template a chat template in the place of its own
     */
    public static Tokenizer fromFolder(Path folder, List<String> newTokens, Optional<String> template) {
        return of(TokenizerFolder.read(folder), newTokens, template);
    }

    /**
     * The tokenizer that the metadata of a GGUF file describes.
     *
     * @throws io.peft4j.core.error.FileFormatException when it is of a kind that cannot be rebuilt
     */
    public static Tokenizer fromGguf(GgufFile file) {
        return fromGguf(file, List.of(), Optional.empty());
    }

    /** As {@link #fromGguf(GgufFile)}, with new tokens and a chat template as for a folder. */
    public static Tokenizer fromGguf(GgufFile file, List<String> newTokens, Optional<String> template) {
        return of(GgufTokenizerFiles.of(file), newTokens, template);
    }

    private static Tokenizer of(TokenizerFiles own, List<String> newTokens, Optional<String> template) {
        TokenizerFiles files = template.map(own::withTemplate).orElse(own);
        SpecialTokens.addNew(files.origin(), files.tokenizer(), newTokens);
        return new FastTokenizer(files, Templates.of(files));
    }
}
