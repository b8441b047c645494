package io.peft4j.models.hub;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model on the hub: {@code organization/name[@revision][:file.gguf]}.
 *
 * @param id organization and name, or the name alone for a model without an organization
 * @param revision branch, tag or commit; {@code main} when none is named
 * @param file the one GGUF file that is wanted
 */
record ModelReference(String id, String revision, Optional<String> file) {
    static final String DEFAULT_REVISION = "main";

    private static final String WORD = "[A-Za-z0-9_][A-Za-z0-9_.-]*";
    private static final String PATH = WORD + "(?:/" + WORD + ")*";
    private static final Pattern FORM = Pattern.compile(
            "(" + WORD + "(?:/" + WORD + ")?)(?:@(" + PATH + "))?(?::(" + PATH + "\\.gguf))?");

    /** Empty when the text cannot be an ID. None of the parts can leave a folder it is resolved in. */
    static Optional<ModelReference> parse(String text) {
        Matcher matcher = FORM.matcher(text);
        // The hub allows neither ".." nor "--" in names; the cache's folder names rely on the latter.
        if (!matcher.matches() || text.contains("..") || matcher.group(1).contains("--")) {
            return Optional.empty();
        }
        return Optional.of(new ModelReference(matcher.group(1),
                Optional.ofNullable(matcher.group(2)).orElse(DEFAULT_REVISION), Optional.ofNullable(matcher.group(3))));
    }
}
