package io.peft4j.models.tokenizer;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.tool.ToolForm;
import io.peft4j.models.hub.ModelSource;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads tokenizers. */
public final class Tokenizers {
    private static final Logger LOG = LoggerFactory.getLogger(Tokenizers.class);

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
        return fromFolder(folder, List.of(), Optional.empty(), Optional.empty());
    }

    /**
     * As {@link #fromFolder(Path)}.
     *
     * @param newTokens texts that become one token each where they are none yet
     * @param template a chat template in the place of its own
     * @param form what that gets for tools and calls of them
     * @throws ConfigurationException also when there is a form, and no chat template
     */
    public static Tokenizer fromFolder(Path folder, List<String> newTokens, Optional<String> template,
            Optional<ToolForm> form) {
        return of(TokenizerFolder.read(folder), newTokens, template, form);
    }

    /** The tokenizer of a model on this machine. */
    public static Tokenizer of(ModelSource source) {
        if (source instanceof ModelSource.GgufPath) {
            try (GgufFile file = GgufFile.open(source.path())) {
                return fromGguf(file);
            }
        }
        return fromFolder(source.path());
    }

    /**
     * The tokenizer that the metadata of a GGUF file describes.
     *
     * @throws io.peft4j.core.error.FileFormatException when it is of a kind that cannot be rebuilt
     */
    public static Tokenizer fromGguf(GgufFile file) {
        return fromGguf(file, List.of(), Optional.empty(), Optional.empty());
    }

    /** As {@link #fromGguf(GgufFile)}, with new tokens, chat template and form of tool calls as for a folder. */
    public static Tokenizer fromGguf(GgufFile file, List<String> newTokens, Optional<String> template,
            Optional<ToolForm> form) {
        return of(GgufTokenizerFiles.of(file), newTokens, template, form);
    }

    private static Tokenizer of(TokenizerFiles own, List<String> newTokens, Optional<String> template,
            Optional<ToolForm> form) {
        String before = own.chatTemplates().getOrDefault(TokenizerFiles.DEFAULT_TEMPLATE, "");
        Optional<String> base = template.or(() -> Optional.of(before)).filter(text -> !text.isEmpty());
        if (form.isPresent() && base.isEmpty()) {
            throw new ConfigurationException("the form of tool calls " + form.get() + " is a part of a chat template, "
                    + "and " + own.origin() + " has no chat template; give the model one");
        }
        Optional<String> changed = base.map(text -> form.map(added -> added.template(text)).orElse(text))
                .filter(text -> !text.equals(before));
        changed.ifPresent(text -> LOG.info("{} is asked with another chat template than its own", own.origin()));
        TokenizerFiles files = changed.map(own::withTemplate).orElse(own);
        SpecialTokens.addNew(files.origin(), files.tokenizer(), newTokens);
        Map<String, String> variables = Templates.variables(files);
        return new FastTokenizer(files, Templates.of(files), source -> JinjaChatTemplate.of(source, variables));
    }

    /** The chat template of a checkpoint, with the special tokens that it may write. */
    private static final class Templates {
        private Templates() {
        }

        static Optional<ChatTemplate> of(TokenizerFiles files) {
            Map<String, String> variables = variables(files);
            Map<String, String> sources = files.chatTemplates();
            Optional<ChatTemplate> template = template(sources.get(TokenizerFiles.DEFAULT_TEMPLATE), variables);
            Optional<ChatTemplate> withTools = template(sources.get(TokenizerFiles.TOOL_TEMPLATE), variables);
            return template.isPresent() && withTools.isPresent()
                    ? Optional.of(new ByTools(template.get(), withTools.get())) : template;
        }

        static Map<String, String> variables(TokenizerFiles files) {
            Map<String, String> variables = new LinkedHashMap<>();
            SpecialTokens.NAMED.forEach(key -> files.specialToken(key).ifPresent(token -> variables.put(key, token)));
            return variables;
        }

        private static Optional<ChatTemplate> template(String source, Map<String, String> variables) {
            return Optional.ofNullable(source).map(text -> JinjaChatTemplate.of(text, variables));
        }

        /** Two templates, of which one is for conversations that offer tools, as in transformers. */
        private record ByTools(ChatTemplate plain, ChatTemplate withTools) implements ChatTemplate {
            @Override
            public String render(List<ChatMessage> messages, boolean addGenerationPrompt,
                    List<Map<String, Object>> tools,
                    Map<String, Object> variables) {
                return (tools.isEmpty() ? plain : withTools).render(messages, addGenerationPrompt, tools, variables);
            }

            @Override
            public String source() {
                return plain.source();
            }
        }
    }
}
