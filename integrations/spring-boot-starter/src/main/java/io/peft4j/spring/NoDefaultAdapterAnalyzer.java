package io.peft4j.spring;

import io.peft4j.models.PeftAdapters;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says what to set where an application does not start for want of a default adapter. */
final class NoDefaultAdapterAnalyzer extends AbstractFailureAnalyzer<PeftAdapters.NoDefaultAdapterException> {
    @Override
    protected FailureAnalysis analyze(Throwable failure, PeftAdapters.NoDefaultAdapterException cause) {
        return new FailureAnalysis("PEFT4J does not know which adapter answers requests that name none: "
                + cause.getMessage(),
                "Set " + PeftAdapters.DEFAULT_ADAPTER + " to the name of a folder in "
                        + "peft4j.adapters, or to __base__ for the base model.",
                cause);
    }
}
