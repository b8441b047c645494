package io.peft4j.data.example;

import java.util.Map;
import java.util.Optional;

/**
 * One example of a data set, whatever the file looked like that it came from. Immutable.
 */
public sealed interface Example
        permits ChatExample, TextExample, PreferenceExample, ClassificationExample {

    /** Where it comes from. */
    Origin origin();

    /** Further fields of the row, such as an expected fact or a group; JSON-like. */
    Map<String, Object> extra();

    /** The same, said to stand elsewhere. */
    Example at(Origin place);

    /**
     * The example as a conversation that ends in what is to be learned; empty for plain text, which is not an answer to
     * anything.
     */
    Optional<ChatExample> toChat();
}
