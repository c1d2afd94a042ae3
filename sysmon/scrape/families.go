package scrape

import (
	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// Families describe what a round adds of its own, for the metric dictionary.
func (s *Scraper) Families() []expo.Family {
	look := words.Of("Look at the log: the source hangs, or has ended.", "查看日志：该来源已卡住或已退出。")
	const source = "the scraper"
	return []expo.Family{
		{Name: "up", Type: "gauge", Source: source, Help: words.Of("1: the source was read in time.", "1：该来源已按时读取。"), Normal: words.Of("1", "1"), Action: look},
		{Name: "scrape_duration_seconds", Type: "gauge", Unit: "seconds", Source: source, Help: words.Of("How long the source took to write its figures.", "该来源写出数据所用的时间。"),
			Normal: words.Of("below 0.1", "低于 0.1"), Action: look},
		{Name: "scrape_samples_scraped", Type: "gauge", Source: source, Help: words.Of("Samples that the source wrote.", "该来源写出的样本数。"),
			Normal: words.Of("steady", "平稳"), Action: words.Of("Growing without end: look for a label whose values never repeat.", "持续增长：查找取值不断变化的标签。")},
	}
}
