package pod

import "stockyard/service/worker"

// alerting is the work that raises alerts. The books are verified as a whole: one region is enough.
func (p *Pod) alerting() []worker.Job {
	jobs := []worker.Job{worker.Alerts(p.service, p.hub, worker.AlertsOptions{}, p.metrics)}
	if p.settings.VerifyEvery > 0 && p.settings.Region == p.service.Topology().Primary {
		o := worker.VerificationOptions{Every: p.settings.VerifyEvery, Heard: p.heard}
		jobs = append(jobs, worker.Verification(p.service, o, p.metrics, p.log))
	}
	return jobs
}

func (p *Pod) heard() int64 {
	_, _, heard := p.hub.Stats()
	return heard
}
