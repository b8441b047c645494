package io.peft4j.spring;

import io.peft4j.core.error.PeftException;

/** A training would replace an adapter, without permission. */
final class AdapterExistsException extends PeftException {
    private static final long serialVersionUID = 1;

    AdapterExistsException(String name) {
        super("there is an adapter '" + name + "' already; choose another name, or replace it with ?replace=true");
    }
}
