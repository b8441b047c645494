package io.peft4j.serve;

import io.peft4j.core.Internal;
import io.peft4j.core.error.PeftException;

/**
 * The database of a server is damaged, or does not go with the folders beside it, so nothing is served. {@link
 * ServerData#rebuild} builds it again from them.
 */
@Internal(shared = true)
public final class DamagedDataException extends PeftException {
    private static final long serialVersionUID = 1L;

    DamagedDataException(PeftException cause) {
        super(cause.getMessage(), cause);
    }
}
