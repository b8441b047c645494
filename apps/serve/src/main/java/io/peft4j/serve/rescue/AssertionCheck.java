package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** What is asserted of an answer to a question. */
@FunctionalInterface
interface AssertionCheck {
    /** What holds, or does not. */
    Result check(String question, String answer);

    /**
     * An outcome.
     *
     * @param holds whether it holds
     * @param why what a judge said, or what kept it from saying something
     */
    record Result(boolean holds, String why) {
    }

    /**
     * What checks may ask.
     *
     * @param similarity compares two texts, 0 to 1
     * @param judge a model that judges, where one was given
     */
    record Tools(BiFunction<String, String, Double> similarity, Optional<StructuredJudge> judge) {
        StructuredJudge required(String type) {
            return judge.orElseThrow(() -> new ConfigurationException("'" + type + "' is graded by a model; name a "
                    + "model that judges, or leave it out"));
        }
    }

    /** A check of the text alone. */
    static AssertionCheck text(Predicate<String> accepts) {
        return (question, answer) -> new Result(accepts.test(answer), "");
    }

    /** The opposite; what a judge could not say does not become true by that. */
    default AssertionCheck negated() {
        return (question, answer) -> {
            Result result = check(question, answer);
            return new Result(!result.holds() && !result.why().startsWith("the judge "), result.why());
        };
    }

    /** Whether a text is JSON. */
    static boolean isJson(String answer) {
        try {
            return !new ObjectMapper().readTree(answer).isMissingNode();
        } catch (JsonProcessingException e) {
            return false;
        }
    }
}
