package io.peft4j.serve.answer;

import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.RequestFields;

/**
 * Whether an answer comes in pieces, and what is said beside it.
 *
 * @param usage whether a last piece says how many tokens there were
 * @param timings whether {@code usage} says where the time went
 */
record Streaming(boolean wanted, boolean usage, boolean timings) {
    static Streaming read(RequestFields fields) {
        boolean wanted = fields.flag("stream");
        if (!wanted && fields.object("stream_options").isPresent()) {
            throw ApiException.invalid("stream_options", "'stream_options' needs 'stream' to be true");
        }
        RequestFields inner = fields.inner("stream_options");
        // What hides the length of pieces from those who listen to the line is the encryption's business here.
        inner.ignore("include_obfuscation");
        boolean usage = inner.flag("include_usage");
        inner.requireKnown();
        return new Streaming(wanted, usage, fields.flag("timings"));
    }
}
