package io.peft4j.serve.answer;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import io.peft4j.core.peft.file.AdapterSignature;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.serve.model.ServedModels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How a server answers.
 *
 * @param service how many answers grow at once, and how many requests wait
 * @param timeout the most time for an answer; default 10 minutes, as long as OpenAI's clients wait
 * @param adapterRoots folders of which clients may load and unload adapters, by the name of a folder below; default
 *     none, and they may not
 * @param trusted who must have signed adapters that are given by name or loaded by clients; those that are tuned here
 *     need no signature; default anybody
 * @param further models beside the base that give vectors of texts or score them for a query, by the names
 *     that clients use; they stay the caller's
 * @param maxError the share of answers to typed questions that may be wrong, one of the errors that thresholds were
 *     fitted for: those that are less certain are left to a person; default none, and all are given
 * @param slow answers that take longer are logged with where their time went; default 30 seconds
 */
@With
public record AnsweringOptions(AnswerServiceOptions service, Duration timeout, List<Path> adapterRoots,
        Optional<AdapterSignature> trusted, Map<String, LanguageModel> further,
        @Option(range = "(0,1)") OptionalDouble maxError, Duration slow) implements AnsweringOptionsWith {
    /** Copies the lists and checks the numbers. */
    public AnsweringOptions {
        AnsweringOptionsWith.check(service, timeout, adapterRoots, trusted, further, maxError, slow);
        adapterRoots = List.copyOf(adapterRoots);
        further = Map.copyOf(further);
        if (timeout.isNegative() || timeout.isZero()) {
            throw new ConfigurationException("the time for an answer must be above 0, got " + timeout);
        }
    }

    /** The defaults. */
    public static AnsweringOptions defaults() {
        return new AnsweringOptions(AnswerServiceOptions.defaults(), Duration.ofMinutes(10), List.of(),
                Optional.empty(), Map.of(),
                OptionalDouble.empty(), Duration.ofSeconds(30));
    }

    /** The same with a model beside the base, under the last part of its ID or path. */
    public AnsweringOptions withModel(LanguageModel model) {
        return withModel(ServedModels.nameOf(model), model);
    }

    /** The same with a model beside the base that gives vectors of texts, or scores them for a query. */
    public AnsweringOptions withModel(String name, LanguageModel model) {
        Map<String, LanguageModel> more = new LinkedHashMap<>(further);
        more.put(name, model);
        return withFurther(more);
    }
}
