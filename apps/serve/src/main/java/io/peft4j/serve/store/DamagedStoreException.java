package io.peft4j.serve.store;

import io.peft4j.core.error.PeftException;

/** What a server kept is damaged, or not there: nothing is served, or kept, beside it. */
public final class DamagedStoreException extends PeftException {
    private static final long serialVersionUID = 1L;

    DamagedStoreException(String what) {
        super(what + "; restore it from a copy, or build it again from the folders of files and jobs");
    }
}
