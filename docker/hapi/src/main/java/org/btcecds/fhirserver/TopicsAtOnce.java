package org.btcecds.fhirserver;

import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Interceptor;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.jpa.topic.ISubscriptionTopicLoader;
import ca.uhn.fhir.rest.api.RequestTypeEnum;
import ca.uhn.fhir.rest.api.server.RequestDetails;

/**
 * A topic written as a Basic resource counts from the answer to that write; HAPI alone would look
 * for new ones once a minute.
 */
@Interceptor
public class TopicsAtOnce {
    private final ISubscriptionTopicLoader topics;

    TopicsAtOnce(ISubscriptionTopicLoader topics) {
        this.topics = topics;
    }

    @Hook(Pointcut.SERVER_OUTGOING_RESPONSE)
    public void answered(RequestDetails request) {
        boolean read = request.getRequestType() == RequestTypeEnum.GET;
        if (!read && "Basic".equals(request.getResourceName())) {
            topics.forceRefresh();
        }
    }
}
