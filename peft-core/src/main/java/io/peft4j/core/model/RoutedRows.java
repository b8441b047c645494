package io.peft4j.core.model;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.RouterLoss;
import java.util.Map;

/**
 * Hidden states, and what the routers on the way to them add to a loss.
 *
 * @param rows the hidden states
 * @param added what is added to the loss; its gradient comes with that of the rows
 */
record RoutedRows(Variable rows, double added) {
    static RoutedRows of(Network network, ForwardContext context, int[] targets, double weight, double normalizer) {
        double coefficient = weight == 0 ? 0 : network.routerLossCoefficient();
        if (coefficient == 0) {
            return new RoutedRows(network.hidden(context, targets), 0);
        }
        RouterLoss routers = new RouterLoss(coefficient);
        Variable rows = network.hidden(context.withRouterLoss(routers), targets);
        Map<Integer, Double> losses = routers.byGroup();
        losses.keySet().forEach(group -> routers.weigh(group, weight / normalizer));
        return new RoutedRows(rows, weight * losses.values().stream().mapToDouble(Double::doubleValue).sum());
    }
}
