package pinyin_test

import (
	"strings"
	"testing"
	"time"

	"posthouse/appliance/pinyin"
)

func TestNamesAreFound(t *testing.T) {
	r := pinyin.New()
	for _, c := range []struct {
		name, login, query string
		want               pinyin.Rank
	}{
		{"张三", "zs01", "张三", pinyin.Same}, {"張三", "zs01", "张三", pinyin.Same}, {"张三", "zs01", "ZS01", pinyin.Same},
		{"张三", "x", "张", pinyin.Begins}, {"张三", "x", "三", pinyin.Within},
		{"张三", "x", "zs", pinyin.Reads}, {"张三", "x", "zhangsan", pinyin.Reads}, {"张三", "x", "zhang san", pinyin.Reads},
		{"张三", "x", "ZhangS", pinyin.Reads}, {"张三", "x", "zsan", pinyin.Reads}, {"张三", "x", "zhs", pinyin.Reads},
		{"张三", "x", "z", pinyin.Reads}, {"张三", "x", "san", pinyin.Inside}, {"张三", "x", "zx", pinyin.None}, {"张三", "x", "zhangsanf", pinyin.None},
		{"重庆", "", "chongqing", pinyin.Reads}, {"重庆", "", "zhongqing", pinyin.Reads}, {"重庆", "", "cq", pinyin.Reads},
		{"曾志伟", "", "zengzhiwei", pinyin.Reads}, {"曾志伟", "", "czw", pinyin.Reads}, {"单雄信", "", "shanxiongxin", pinyin.Reads},
		{"仇英", "", "qiuying", pinyin.Reads}, {"仇英", "", "cy", pinyin.Reads}, {"吕布", "", "lvbu", pinyin.Reads}, {"吕布", "", "lubu", pinyin.Reads},
		{"西安", "", "xi'an", pinyin.Reads}, {"三号车间 A", "", "shcja", pinyin.Reads}, {"三号车间 A", "", "chejian", pinyin.Inside},
		{"Ann Lee", "ann", "al", pinyin.Reads}, {"Ann Lee", "ann", "lee", pinyin.Within}, {"Ann Lee", "ann", "annl", pinyin.Reads},
		{"Zoë", "z", "zoe", pinyin.Same}, {"运维 Ops", "", "ywops", pinyin.Reads}, {"李四", "", "", pinyin.Same}, {"李四", "", "'", pinyin.None},
	} {
		if got := r.Query(c.query).Match(r.Key(c.name), c.login); got != c.want {
			t.Errorf("%q finds %s (%s) with rank %d, want %d", c.query, c.name, c.login, got, c.want)
		}
	}
}

func TestHostileQueriesTakeNoTime(t *testing.T) {
	r := pinyin.New()
	key := r.Key(strings.Repeat("阿", 100))
	began := time.Now()
	for range 100 {
		r.Query(strings.Repeat("a", 99)+"x").Match(key, "")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("100 matches took %s", took)
	}
}

func BenchmarkKey(b *testing.B) {
	r := pinyin.New()
	for b.Loop() {
		r.Key("欧阳志远")
	}
}

func BenchmarkMatch(b *testing.B) {
	r := pinyin.New()
	k, q := r.Key("欧阳志远"), r.Query("zhiy")
	for b.Loop() {
		q.Match(k, "oyzy")
	}
}
