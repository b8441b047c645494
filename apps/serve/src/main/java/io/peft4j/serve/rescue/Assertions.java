package io.peft4j.serve.rescue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.core.text.ChatMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Assertions on answers, in Promptfoo's form:
 *
 * <pre>{@code
 * {"tests": [{"vars": {"question": "What is the notice period?"},
 *             "assert": [{"type": "contains", "value": "90"}, {"type": "regex", "value": "\\d+ days"}]}],
 *  "prompts": ["{{question}}"]}
 * }</pre>
 *
 * <p>Types: {@code contains}, {@code icontains}, both with {@code -all} and {@code -any} and a list, {@code equals},
 * {@code starts-with}, {@code regex}, {@code is-json} and {@code contains-json} with a schema as their value,
 * {@code similar} with a {@code threshold}, and by a model that judges {@code llm-rubric}, {@code g-eval},
 * {@code model-graded-closedqa} and {@code factuality}; {@code not-} before a type turns it around. A prompt is the
 * first of {@code prompts} with the variables put in, or the variable {@code prompt} or {@code question} if there is
 * none.
 *
 * <p>Or in the form of OpenAI's Evals: {@code testing_criteria} ({@code string_check}, {@code text_similarity} by
 * {@code cosine}, {@code score_model}, {@code label_model}) and the {@code data_source} of a run.
 */
@Internal
public final class Assertions {
    private final List<Test> tests;

    /**
     * A question with what is asserted of its answer.
     *
     * @param question what is asked
     * @param checks by what they are called in reports
     */
    record Test(List<ChatMessage> question, Map<String, AssertionCheck> checks) {
        String asked() {
            return question.get(question.size() - 1).content();
        }
    }

    /**
     * What a model passes.
     *
     * @param passed number of assertions that hold
     * @param failures those that do not: question, assertion and answer
     */
    public record Outcome(int passed, List<String> failures) {
        /** Copies the list. */
        public Outcome {
            failures = List.copyOf(failures);
        }
    }

    private Assertions(List<Test> tests) {
        this.tests = List.copyOf(tests);
    }

    /**
     * Reads a file.
     *
     * @throws FileFormatException when it is of another form, asserts something that is not known here, or needs a
     *     judge that was not given
     */
    static Assertions read(Path file, AssertionCheck.Tools tools) {
        JsonNode root = JsonFiles.read(file);
        try {
            return new Assertions(EvalsFile.isOne(root) ? new EvalsFile(root, tools).tests()
                    : new PromptfooFile(root, tools).tests());
        } catch (ConfigurationException e) {
            throw new FileFormatException(file, e.getMessage(), e);
        }
    }

    List<List<ChatMessage>> questions() {
        return tests.stream().map(Test::question).toList();
    }

    /** Judges an answer to each question. */
    Outcome judge(List<String> answers) {
        int passed = 0;
        List<String> failures = new ArrayList<>();
        for (int i = 0; i < tests.size(); i++) {
            Test test = tests.get(i);
            for (Map.Entry<String, AssertionCheck> check : test.checks().entrySet()) {
                AssertionCheck.Result result = check.getValue().check(test.asked(), answers.get(i));
                if (result.holds()) {
                    passed++;
                } else {
                    failures.add(test.asked() + " must " + check.getKey() + "; answered: " + answers.get(i)
                            + (result.why().isEmpty() ? "" : " (" + result.why() + ")"));
                }
            }
        }
        return new Outcome(passed, failures);
    }
}
