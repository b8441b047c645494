package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.model.decision.DecisionModel;
import dev.langchain4j.model.decision.listener.DecisionModelListener;
import dev.langchain4j.model.decision.listener.DecisionModelResponseContext;
import dev.langchain4j.model.decision.response.ChoiceAnswer;
import dev.langchain4j.model.decision.response.DecisionResponse;
import dev.langchain4j.model.decision.response.YesNoAnswer;
import io.peft4j.langchain4j.PeftChatModel;
import io.peft4j.langchain4j.PeftDecisionModel;
import io.peft4j.models.BaseModel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The program with LangChain4j's routers and scores, here with the built-in model, whose decisions are heard. */
class RouteRequestsTest {
    private static final List<List<String>> TOPICS = List.of(List.of("Refunds take five days.",
            "Invoices come by mail."), List.of("Reset a password by mail.", "A login ends after an hour."));

    private static List<Double> probabilities(DecisionResponse response) {
        return response.answers().values().stream().map(answer -> ((YesNoAnswer) answer).probability()).toList();
    }

    @Test
    void whatIsDecidedIsDone() {
        List<DecisionResponse> told = new ArrayList<>();
        try (BaseModel base = BaseModel.load("tiny")) {
            DecisionModel decisions = new PeftDecisionModel(base, List.of(new DecisionModelListener() {
                @Override
                public void onResponse(DecisionModelResponseContext context) {
                    told.add(context.decisionResponse());
                }
            }));
            for (String question : List.of("I cannot reset my password", "Good morning")) {
                told.clear();
                List<String> passages = RouteRequests.passages(decisions, question);
                List<Double> ofTopics = probabilities(told.get(0));
                List<String> found = new ArrayList<>();
                for (int i = 0; i < TOPICS.size(); i++) {
                    found.addAll(ofTopics.get(i) >= 0.5 ? TOPICS.get(i) : List.of());
                }
                List<Double> scores = told.stream().skip(1).flatMap(each -> probabilities(each).stream()).toList();
                assertEquals(found.size(), scores.size());
                List<String> ordered = new ArrayList<>(found);
                ordered.sort((a, b) -> Double.compare(scores.get(found.indexOf(b)), scores.get(found.indexOf(a))));
                assertEquals(ordered, passages);

                told.clear();
                String answer = RouteRequests.routed(decisions, new PeftChatModel(base)).chat(question);
                String route = ((ChoiceAnswer) told.get(0).answers().values().iterator().next()).value();
                assertTrue(route.equals("model") || route.equals("person"), route);
                assertEquals(
                        route.equals("person") ? "A person will call you." : new PeftChatModel(base).chat(question),
                        answer);
            }
        }
    }
}
