package io.peft4j.eval.head;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.QuestionAnswerer;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.SpanQuestion;
import io.peft4j.eval.metric.SquadScores;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;

/**
 * Answers that stand in a text: exact match and token F1 by the rules of SQuAD, the best of all right answers. Where
 * one of the rows has no answer, the model may say that there is none, which it does where the first token is the
 * likelier place, as in SQuAD 2.0. The constant base says the whole text, or that there is no answer, whichever scores
 * higher.
 */
@Internal
public final class PassageEvaluation implements RowEvaluation<SpanQuestion> {
    @Override
    public Task.Type task() {
        return Task.Type.QUESTION_ANS;
    }

    @Override
    public RowKind<SpanQuestion> kind() {
        return RowKind.QUESTIONS;
    }

    @Override
    public Class<SpanQuestion> row() {
        return SpanQuestion.class;
    }

    @Override
    public String text(SpanQuestion row) {
        return row.question();
    }

    @Override
    public Findings evaluate(Compared models, List<SpanQuestion> rows, List<SpanQuestion> training) {
        List<String> tuned = answers(models.tuned(), rows);
        List<String> base;
        String baseline;
        if (models.base().isPresent()) {
            base = answers(models.base().get(), rows);
            baseline = "is the base model with its own head";
        } else {
            List<String> whole = rows.stream().map(SpanQuestion::context).toList();
            List<String> none = rows.stream().map(row -> "").toList();
            boolean unanswered = mean(f1(rows, none)) > mean(f1(rows, whole));
            base = unanswered ? none : whole;
            baseline = unanswered ? "answers that there is no answer to every question"
                    : "answers every question with the whole text";
        }
        PairedMeasures measures = new PairedMeasures(models.options());
        boolean[] baseRight = exact(rows, base);
        boolean[] tunedRight = exact(rows, tuned);
        measures.scores("token_f1", f1(rows, base), f1(rows, tuned));
        measures.yesNo("exact_match", baseRight, tunedRight);
        return new Findings("token_f1", baseline, measures, Findings.Classes.NONE, Findings.Classes.NONE,
                Rows.answers(baseRight, tunedRight, i -> new String[] {rows.get(i).question(),
                    rows.get(i).answers().isEmpty() ? "no answer" : String.join(" / ", rows.get(i).answers()),
                    said(base.get(i)), said(tuned.get(i))}),
                Optional.empty());
    }

    private static String said(String answer) {
        return answer.isEmpty() ? "no answer" : answer;
    }

    private static List<String> answers(Model model, List<SpanQuestion> rows) {
        boolean mayBeNone = rows.stream().anyMatch(row -> row.answers().isEmpty());
        QuestionAnswerer answerer = new QuestionAnswerer(model);
        return rows.stream().map(row -> answerer.answer(row.question(), row.context()))
                .map(said -> mayBeNone && said.noAnswerScore() > said.score() ? "" : said.text()).toList();
    }

    /** The best score of all right answers; of a question without one the score of saying nothing. */
    private static double best(SpanQuestion row, String answer, ToDoubleBiFunction<String, String> score) {
        List<String> right = row.answers().stream().filter(each -> !SquadScores.normalize(each).isEmpty()).toList();
        return (right.isEmpty() ? List.of("") : right).stream().mapToDouble(each -> score.applyAsDouble(answer, each))
                .max().orElseThrow();
    }

    static double[] f1(List<SpanQuestion> rows, List<String> answers) {
        return IntStream.range(0, rows.size())
                .mapToDouble(i -> best(rows.get(i), answers.get(i), SquadScores::f1)).toArray();
    }

    static boolean[] exact(List<SpanQuestion> rows, List<String> answers) {
        boolean[] right = new boolean[rows.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = best(rows.get(i), answers.get(i),
                    (said, each) -> SquadScores.exactMatch(said, each) ? 1 : 0) == 1;
        }
        return right;
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }
}
