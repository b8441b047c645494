package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.internal.Json;
import java.util.Optional;

/**
 * Whether an answer comes in pieces.
 *
 * @param usage whether a last piece says how many tokens there were
 */
record Streaming(boolean wanted, boolean usage) {
    static Streaming read(Fields fields) {
        boolean wanted = fields.flag("stream");
        Optional<ObjectNode> options = fields.object("stream_options");
        Fields inner = new Fields(options.orElseGet(Json::object));
        // What hides the length of pieces from those who listen to the line is the encryption's business here.
        inner.ignore("include_obfuscation");
        boolean usage = inner.flag("include_usage");
        inner.requireKnown();
        return new Streaming(wanted, usage);
    }
}
