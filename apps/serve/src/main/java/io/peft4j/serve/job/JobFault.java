package io.peft4j.serve.job;

import io.peft4j.core.error.PeftException;
import java.util.Optional;

/** Why a job cannot be done: its {@code error} as clients see it. */
final class JobFault extends PeftException {
    private static final long serialVersionUID = 1L;

    private final String code;
    private final String param;

    JobFault(String code, Optional<String> param, String message) {
        super(message);
        this.code = code;
        this.param = param.orElse(null);
    }

    static JobFault of(String param, String message) {
        return new JobFault("invalid_" + param, Optional.of(param), message);
    }

    String code() {
        return code;
    }

    Optional<String> param() {
        return Optional.ofNullable(param);
    }
}
