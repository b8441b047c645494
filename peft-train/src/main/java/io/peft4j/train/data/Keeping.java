package io.peft4j.train.data;

import io.peft4j.core.error.Count;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.format.DataFile;
import io.peft4j.train.objective.KeepingObjective;
import io.peft4j.train.objective.KeepingOptions;
import io.peft4j.train.objective.KeptAnswers;
import io.peft4j.train.objective.Objective;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a training keeps: what the base answers to some prompts.
 *
 * @param prompts a file of them; empty: the general ones that come with the library
 * @param options how firmly it is kept
 */
public record Keeping(Optional<DataFile> prompts, KeepingOptions options) {
    private static final Logger LOG = LoggerFactory.getLogger(Keeping.class);

    /** The objective with the penalty; asks the base model of the trained one. */
    <E> Objective<E> around(Objective<E> objective, PeftModel model) {
        LanguageModel base = model.base();
        List<Prompt> asked = prompts.map(file -> KeptAnswers.prompts(base, file))
                .orElseGet(() -> KeptAnswers.general(base));
        long begin = System.nanoTime();
        KeptAnswers kept = KeptAnswers.of(base, asked, options.mostTokens());
        LOG.info("the base's answers to {}, which are kept, took {} s", Count.of(asked.size(), "prompt"),
                Math.round((System.nanoTime() - begin) / 1e8) / 10.0);
        return new KeepingObjective<>(objective, model, kept, options);
    }
}
